// The page's origin and the trackers' origin, apart as on real sites, and what beacons the latter was sent.
import { createServer } from 'node:http';
import { once } from 'node:events';

const listen = async answer => {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

/** Serves `pages`, a map of path to HTML that may be filled later. */
export const servePages = pages => listen((request, response) => {
  const page = pages.get(request.url);
  response.writeHead(page ? 200 : 404, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(page);
});

/** Serves `files` and takes whatever is posted; `received` holds the bodies since it was last emptied. */
export const serveTrackers = async files => {
  const received = [];
  const server = await listen(async (request, response) => {
    const { origin = '*' } = request.headers;
    response.setHeader('access-control-allow-origin', origin);
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('timing-allow-origin', '*');
    if (request.method == 'OPTIONS') return preflight(request, response);
    if (request.method == 'POST') return take(request, response, received);
    const file = files.get(new URL(request.url, 'http://any').pathname);
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, {
      'content-type': file.type,
      'content-encoding': 'br',
      'content-length': file.body.length,
      'cache-control': 'public, max-age=31536000, immutable',
    });
    response.end(file.body);
  });
  return { ...server, received };
};

const preflight = (request, response) => response.writeHead(204, {
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': request.headers['access-control-request-headers'] || '',
  'access-control-max-age': '600',
}).end();

const take = async (request, response, received) => {
  const chunks = await request.toArray();
  received.push(Buffer.concat(chunks).toString());
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":1,"ok":true,"success":true}');
};
