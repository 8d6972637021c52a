// The worker of steady_timers.js: gets {id, delayMs}, answers with the id when the time has come.
self.addEventListener("message", ({ data: { id, delayMs } }) => setTimeout(() => self.postMessage(id), delayMs));
