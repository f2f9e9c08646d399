import { runWorker } from "../../src/proxy/worker.ts";

runWorker();
