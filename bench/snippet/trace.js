// Reads from a trace what scripts cost on the page's main thread: in processor time, so that what else the machine does at
// that moment does not count. The slowdown that DevTools adds does count, since it keeps the processor busy.

// What runs or prepares a script. Some of them lie inside others, so only outermost ones are counted.
const SCRIPT = /^(EvaluateScript|FunctionCall|TimerFire|RunMicrotasks|v8\.(compile|run|callFunction)|v8\.wasm\..*|wasm\..*)$/;
const LONG_TASK = 50;

/** Milliseconds of script, the most of it in one task, how many tasks were long, and when scripts and Wasm were at work. */
export const readTrace = ({ trace, start }) => {
  const slices = mainThread(trace, start).map(({ name, ts, dur, tdur, args }) => {
    const from = ts / 1000 - start * 1000;
    return { name, from, to: from + dur / 1000, busy: tdur / 1000, url: args?.data?.url };
  });
  const scripts = outermost(slices.filter(({ name }) => SCRIPT.test(name)));
  const tasks = slices.filter(({ name }) => name == 'RunTask');
  const sum = slices => slices.reduce((sum, { busy }) => sum + busy, 0);
  const within = task => scripts.filter(({ from, to }) => from >= task.from && to <= task.to);
  return {
    script: sum(scripts),
    longest: Math.max(0, ...tasks.map(task => sum(within(task)))),
    long: tasks.filter(({ busy }) => busy > LONG_TASK).length,
    slices: slices.filter(({ name }) => SCRIPT.test(name)),
  };
};

// The thread that took over the page; a browser context has others, which never commit it.
const mainThread = (trace, start) => {
  const began = start * 1e6;
  const commit = trace.find(({ name, ts, args }) => name == 'CommitLoad' && ts > began && args.data.url.startsWith('http'));
  if (!commit) throw Error('the trace does not hold the page');
  return trace
    .filter(({ ph, pid, tid, ts }) => ph == 'X' && pid == commit.pid && tid == commit.tid && ts >= began)
    .sort((one, other) => one.ts - other.ts || other.dur - one.dur);
};

/** Those that lie in no other. */
export const outermost = slices => {
  let end = 0;
  return slices.filter(({ from, to }) => from >= end && (end = to));
};
