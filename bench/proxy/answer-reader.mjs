// @ts-check

/**
 * Counts a connection's answers as bytes come in. Takes only what the loads' back ends send: status 200, a length.
 * @param {() => void} onAnswer Called for each one that is whole.
 */
export function answerReader(onAnswer) {
  let held = Buffer.alloc(0);
  let left = 0;
  return (/** @type {Buffer} */ bytes) => {
    let rest = bytes;
    while (rest.length > 0) {
      if (left === 0) {
        if (held.length > 0) rest = Buffer.concat([held, rest]);
        held = Buffer.alloc(0);
        const end = rest.indexOf("\r\n\r\n");
        if (end === -1) {
          held = rest;
          return;
        }
        left = bodyLength(rest.latin1Slice(0, end));
        rest = rest.subarray(end + 4);
      }
      const taken = Math.min(left, rest.length);
      left -= taken;
      rest = rest.subarray(taken);
      if (left === 0) onAnswer();
    }
  };
}

/** @param {string} head */
function bodyLength(head) {
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
  if (!head.startsWith("HTTP/1.1 200 ") || !(length > 0)) throw new Error(`answered with ${head}`);
  return length;
}
