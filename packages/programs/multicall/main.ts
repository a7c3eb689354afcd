import { args, calledAs, run } from "@qmail-mysql/process";
import { QLX_SYS, SOFT } from "@qmail-mysql/trouble";

type Main = (args: readonly string[]) => number | Promise<number>;

interface Program {
  readonly load: () => Promise<{ main: Main }>;
  /** The exit code for trouble. */
  readonly soft: number;
}

/** Each program is loaded only when it is the one called. */
const programs: Readonly<Record<string, Program>> = {
  checkpassword: { load: () => import("@qmail-mysql/checkpassword"), soft: SOFT },
  "qmail-pop3d": { load: () => import("@qmail-mysql/qmail-pop3d"), soft: SOFT },
  "qmail-pop3d-helper": { load: () => import("@qmail-mysql/qmail-pop3d-helper"), soft: SOFT },
  "qmail-popup": { load: () => import("@qmail-mysql/qmail-popup"), soft: SOFT },
  "qmail-getpw": { load: () => import("@qmail-mysql/qmail-getpw"), soft: QLX_SYS },
  "qmail-mysql": { load: () => import("@qmail-mysql/qmail-mysql"), soft: SOFT },
  "rebuild-cdb": { load: () => import("@qmail-mysql/rebuild-cdb"), soft: SOFT },
  "relay-check": { load: () => import("@qmail-mysql/relay-check"), soft: SOFT },
  "tcpserver-sql": { load: () => import("@qmail-mysql/tcpserver-sql"), soft: SOFT },
  "qmail-local": { load: () => import("@qmail-mysql/qmail-local"), soft: SOFT },
  "qmail-lspawn": { load: () => import("@qmail-mysql/qmail-lspawn"), soft: SOFT },
  "qmail-sqld": { load: () => import("@qmail-mysql/qmail-sqld"), soft: SOFT },
};

const name = calledAs();
const program = programs[name];
await run(
  name,
  async () => {
    if (!program) throw new Error(`unable to be ${name}: no such program here`);
    const { main } = await program.load();
    return main(args());
  },
  program?.soft ?? SOFT,
);
