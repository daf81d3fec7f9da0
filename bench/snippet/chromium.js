// Headless Chromium and its DevTools protocol, without a library between the benchmark and what it measures.
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import WebSocket from 'ws';

// Some trackers stay silent in a browser that calls itself headless.
const USER_AGENT = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

const FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-extensions',
  '--no-first-run',
  '--remote-debugging-port=0',
  `--user-agent=${USER_AGENT}`,
];

/** Starts the browser; emits each DevTools event as (parameters, session) under its name. */
export const startChromium = async () => {
  const profile = mkdtempSync(join(tmpdir(), 'beaconry-bench-chromium-'));
  // A process group of its own, so that what it starts ends with it.
  const child = spawn('chromium', [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
    // What it would leave behind elsewhere goes with the profile.
    env: { ...process.env, TMPDIR: profile },
  });
  const stop = async () => {
    if (child.exitCode == null && child.signalCode == null) {
      process.kill(-child.pid, 'SIGKILL');
      await once(child, 'exit');
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  try {
    const socket = new WebSocket(await addressOf(child), { perMessageDeflate: false, maxPayload: 1 << 30 });
    await once(socket, 'open');
    child.stderr.resume();
    return Object.assign(speak(socket), { stop });
  } catch (error) {
    await stop();
    throw error;
  }
};

const addressOf = async child => {
  const lines = createInterface({ input: child.stderr });
  for await (const line of lines) {
    const found = line.match(/DevTools listening on (\S+)/);
    if (found) return found[1];
  }
  throw Error('chromium ended before it said where it listens');
};

const speak = socket => {
  const events = new EventEmitter().setMaxListeners(0);
  const asked = new Map();
  let last = 0;
  socket.on('message', text => {
    const { id, method, params, sessionId, result, error } = JSON.parse(text);
    if (!id) return events.emit(method, params, sessionId);
    const [done, failed, what] = asked.get(id);
    asked.delete(id);
    error ? failed(Error(`${what}: ${error.message}`)) : done(result);
  });
  const send = (method, params = {}, sessionId) => new Promise((done, failed) => {
    asked.set(++last, [done, failed, method]);
    socket.send(JSON.stringify({ id: last, method, params, sessionId }));
  });
  return { events, send };
};
