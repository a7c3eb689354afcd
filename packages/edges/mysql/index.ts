export { openInTurn } from "./in-turn.ts";
