import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Authority {
  /** PEM text, and the file it stands in. */
  readonly ca: string;
  readonly caFile: string;
  /** Files of a new certificate for the name, and its key. */
  issue(name: string, commonName?: string): { readonly cert: string; readonly key: string };
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** An authority that nobody knows but the test, made by `openssl` in the given directory. */
export function makeAuthority(directory: string): Authority {
  const [caFile, caKey] = [join(directory, "ca.pem"), join(directory, "ca-key.pem")];
  openssl(
    "req",
    "-x509",
    "-days",
    "2",
    ...newKey,
    "-subj",
    "/CN=authority",
    "-keyout",
    caKey,
    "-out",
    caFile,
  );
  let issued = 0;
  return {
    ca: readFileSync(caFile, "utf8"),
    caFile,
    issue(name, commonName = name) {
      const base = join(directory, `issued-${issued++}`);
      const [request, cert, key, extensions] = [
        `${base}.csr`,
        `${base}.pem`,
        `${base}-key.pem`,
        `${base}.ext`,
      ];
      writeFileSync(extensions, `subjectAltName=DNS:${name}\n`);
      openssl("req", ...newKey, "-subj", `/CN=${commonName}`, "-keyout", key, "-out", request);
      openssl(
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        request,
        "-CA",
        caFile,
        "-CAkey",
        caKey,
        "-CAcreateserial",
        "-extfile",
        extensions,
        "-out",
        cert,
      );
      return { cert, key };
    },
  };
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "ignore" });
}
