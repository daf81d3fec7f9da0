// How the app asks Beaconry, and what it makes of refusals.
'use strict';

const url = (bundle, path) => bundle.authData.base_url.replace(/\/+$/, '') + path;

const part = encodeURIComponent;

/** The items of a list. */
const items = async (z, bundle, path) => (await z.request({ url: url(bundle, path) })).data.items;

/** A list for a dropdown, which wants an `id`. */
const choices = async (z, bundle, path) =>
  (await items(z, bundle, path)).map((item) => ({ ...item, id: item.discriminator }));

const profile = ({ keyspace, profile_key }) =>
  `/audience/keyspaces/${part(keyspace)}/profiles/${part(profile_key)}`;

// The keyspaces whose identifiers an event's allowed operations speak of. Web visitors are a matter of the API key alone.
const IDENTIFIERS = {
  'com.apsis1.keyspaces.email': 'email',
  'com.apsis1.keyspaces.mobile': 'mobile',
  'com.apsis1.keyspaces.crm-id': 'crm_id',
};

/** What an event's allowed operations call this keyspace; `undefined` where they say nothing of it. */
const identifier = (keyspace) => IDENTIFIERS[keyspace];

/** Turns a refusal into the sentence that people read, with what to do about it. */
const refused = (response, z) => {
  if (response.status < 400) return response;
  const problem = response.data || {};
  const faults = problem.errors || [];
  if (response.status === 401) {
    throw new z.errors.RefreshAuthError();
  }
  if (response.status === 429 || response.status === 503) {
    const seconds = Number(response.getHeader('retry-after')) || 60;
    throw new z.errors.ThrottledError(problem.detail || 'Try again later.', seconds);
  }
  const codes = faults.map((fault) => fault.code);
  if (codes.includes('deprecated_version') || codes.includes('unknown_version')) {
    throw new z.errors.Error(
      `The event has changed since this Zap was built. Update the Zap: choose the event again in this step, and map its fields anew. (${problem.detail})`,
      'OutdatedZap',
      response.status,
    );
  }
  const details = faults.filter((fault) => fault.field).map((fault) => `${fault.field}: ${fault.detail}`);
  throw new z.errors.Error(
    [problem.detail || `Beaconry answered ${response.status}.`, ...details].join('\n'),
    problem.code || 'Refused',
    response.status,
  );
};

module.exports = { url, part, items, choices, profile, identifier, refused };
