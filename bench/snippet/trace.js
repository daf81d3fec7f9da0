// Reads from a trace what scripts cost on the page's main thread.

// What runs or prepares a script. Some of them lie inside others, so only outermost ones are counted.
const SCRIPT = /^(EvaluateScript|FunctionCall|TimerFire|RunMicrotasks|v8\.(compile|run|callFunction)|v8\.wasm\..*|wasm\..*)$/;
const LONG_TASK = 50;

/** Milliseconds of script, the longest task that ran any, how many tasks were long, and when scripts and Wasm were at work. */
export const readTrace = ({ trace, start }) => {
  const slices = mainThread(trace, start).map(({ name, ts, dur, args }) => {
    const from = ts / 1000 - start * 1000;
    return { name, from, to: from + dur / 1000, url: args?.data?.url };
  });
  const scripts = outermost(slices.filter(({ name }) => SCRIPT.test(name)));
  const tasks = slices.filter(({ name }) => name == 'RunTask');
  const withScript = tasks.filter(task => scripts.some(({ from, to }) => from >= task.from && to <= task.to));
  return {
    script: scripts.reduce((sum, slice) => sum + length(slice), 0),
    longest: Math.max(0, ...withScript.map(length)),
    long: tasks.filter(task => length(task) > LONG_TASK).length,
    slices: slices.filter(({ name }) => SCRIPT.test(name)),
  };
};

const length = ({ from, to }) => to - from;

// The thread that took over the page; a browser context has others, which never commit it.
const mainThread = (trace, start) => {
  const began = start * 1e6;
  const commit = trace.find(({ name, ts, args }) => name == 'CommitLoad' && ts > began && args.data.url.startsWith('http'));
  if (!commit) throw Error('the trace does not hold the page');
  return trace
    .filter(({ ph, pid, tid, ts }) => ph == 'X' && pid == commit.pid && tid == commit.tid && ts >= began)
    .sort((one, other) => one.ts - other.ts || other.dur - one.dur);
};

const outermost = slices => {
  let end = 0;
  return slices.filter(({ from, to }) => from >= end && (end = to));
};
