import type { Preview } from "@clew/control";
import type { PreviewFinding } from "../visit/preview-directory.ts";
import type { Page } from "./page.ts";

// The words of every page, in one place so that they can be read aloud. They are for visitors, who know nothing of
// routes and tunnels; hints are for whoever made the preview.

export function absentPage(finding: Exclude<PreviewFinding, { kind: "live" }>): Page {
  switch (finding.kind) {
    case "unknown":
      return unknownPage;
    case "no-list":
      return noListPage;
    case "ended":
      return endedPage(finding.how);
  }
}

const unknownPage: Page = {
  status: 404,
  code: "E_PREVIEW_UNKNOWN",
  title: "There is no such preview",
  text: [
    "No preview has this address. Perhaps a character of it was lost on the way. " +
      "Check the link, or ask whoever sent it for a new one.",
  ],
  hint: "Did you make it? Previews that exist are listed by: clew preview list",
};

const noListPage: Page = {
  status: 503,
  code: "E_PREVIEW_NO_LIST",
  title: "Previews cannot be shown yet",
  text: [
    "This gateway has not heard from its manager since it was started, so it does not know any preview. " +
      "This page tries again by itself.",
  ],
  hint: "Do you run this system? See how it is: clew status",
  headers: [
    ["retry-after", "5"],
    ["refresh", "5"],
  ],
};

function endedPage(how: "expired" | "revoked" | undefined): Page {
  const text = ["Ask whoever sent you the link for a new one."];
  const hint = "Did you make it? Make another: clew preview create";
  if (how === "expired") {
    const title = "This preview has expired";
    return { status: 410, code: "E_PREVIEW_EXPIRED", title, text: ["Its time is over.", ...text], hint };
  }
  if (how === "revoked") {
    const title = "This preview is closed";
    return {
      status: 410,
      code: "E_PREVIEW_REVOKED",
      title,
      text: ["Its owner has closed it.", ...text],
      hint,
    };
  }
  const why = "Its time is over, or its owner has closed it.";
  return {
    status: 410,
    code: "E_PREVIEW_ENDED",
    title: "This preview has ended",
    text: [why, ...text],
    hint,
  };
}

/** What becomes of a visitor who may not come in. */
export type Refusal = "link" | "password" | "visitor-revoked";

export function refusedPage(
  why: Refusal,
  form: { readonly action: string; readonly returnTo: string },
): Page {
  switch (why) {
    case "link":
      return linkPage;
    case "password":
      return passwordPage(form);
    case "visitor-revoked":
      return visitorRevokedPage;
  }
}

const linkPage: Page = {
  status: 403,
  code: "E_PREVIEW_NOT_ALLOWED",
  title: "This preview opens by its whole link only",
  text: [
    "The link that you were given has a secret in it, which is missing here or is out of date. " +
      "Open the whole link once; after that, this browser is remembered if it accepts cookies.",
    "If you no longer have it, ask whoever sent it to you.",
  ],
};

export function passwordPage(
  form: { readonly action: string; readonly returnTo: string },
  fault?: string,
): Page {
  return {
    status: 403,
    code: "E_PREVIEW_PASSWORD",
    title: "This preview has a password",
    text: ["Whoever sent you the link can tell it to you."],
    password: { ...form, fault },
  };
}

const visitorRevokedPage: Page = {
  status: 403,
  code: "E_PREVIEW_VISITOR_REVOKED",
  title: "You can no longer visit this preview",
  text: ["Its owner has withdrawn your access. If you think that this is a mistake, ask them."],
};

export function tooManyGuessesPage(retryAfterSeconds: number): Page {
  return {
    status: 429,
    code: "E_PREVIEW_GUESSES",
    title: "Too many wrong passwords",
    text: [
      `No more passwords are looked at for now. Try again in ${inWords(retryAfterSeconds)}.`,
      "If you are not sure of the password, ask whoever sent you the link.",
    ],
    headers: [["retry-after", String(retryAfterSeconds)]],
  };
}

export function tooManyRequestsPage(retryAfterSeconds: number): Page {
  return {
    status: 429,
    code: "E_PREVIEW_RATE",
    title: "This preview is too busy",
    text: [
      `More requests came for it than one preview is meant for. Try again in ${inWords(retryAfterSeconds)}.`,
    ],
    headers: [["retry-after", String(retryAfterSeconds)]],
  };
}

/** How often the page looks whether the machine is back, in seconds: people wait before it. */
const awayRefreshSeconds = 5;

export function awayPage(preview: Preview, showLiveHref: string): Page {
  const away = preview.replaces.filter(({ reachable }) => !reachable);
  const owners = [...new Set(away.map(({ owner }) => owner))];
  const services = away.map(({ service }) => service);
  const isOne = owners.length === 1;
  const whose = isOne ? `${owners[0]}’s machine is` : "Some machines are";
  const machines = `${inSeries(owners.map((owner) => `${owner}’s`))} ${isOne ? "machine, which" : "machines, which"}`;
  const run = services.length === 1 ? "runs" : "run";
  return {
    status: 503,
    code: "E_PREVIEW_AWAY",
    title: `${whose} away`,
    text: [
      `In this preview, ${inSeries(services)} ${run} on ${machines} cannot be reached right now. ` +
        `${isOne ? "It" : "They"} may be asleep or offline.`,
      "The preview opens here by itself as soon as that changes. Until then you can see the live version, without the changes.",
    ],
    preview: preview.slug,
    links: [{ href: showLiveHref, text: "Show the live version" }],
    headers: [
      ["retry-after", String(awayRefreshSeconds)],
      ["refresh", String(awayRefreshSeconds)],
    ],
  };
}

export function ingressPage(code: string): Page {
  return {
    status: 502,
    code,
    title: "The system behind this preview cannot be reached",
    text: ["The preview itself is fine, but what it shows does not answer. This page tries again by itself."],
    hint: `Do you run this system? The gateway got no answer from where it leads (${code}). See how it is: clew status`,
    headers: [["refresh", "10"]],
  };
}

export function noIngressPage(ingress: string): Page {
  return {
    status: 502,
    code: "E_PREVIEW_INGRESS",
    title: "This preview leads nowhere",
    text: [`It asks for a way into the system that this gateway does not have: ${ingress}.`],
    hint: "Did you make it? Name an ingress that stands in gateway.ingresses, or none.",
  };
}

/** For forms and addresses that are none of those the gateway has. */
export const misusePage: Page = {
  status: 400,
  code: "E_PREVIEW_REQUEST",
  title: "The gateway did not understand that",
  text: ["This address is one of the gateway’s own, and was not asked for as its pages do."],
};

function inWords(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? "one second" : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}

function inSeries(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}
