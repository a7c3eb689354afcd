export { type DeliveryPorts, type Done, deliver, report } from "./deliver.ts";
export { Failure, NoMailbox, temporary } from "./failure.ts";
export { type Basis, type DotQmail, type LocalPorts, plan } from "./local.ts";
export { OPERANDS, type Order, toOperands, toOrder, USAGE } from "./order.ts";
export { afterProgram, type Ended } from "./program-exit.ts";
export { afterQueue, unforwarded } from "./queue.ts";
export { type Route, type RoutePorts, route } from "./route.ts";
