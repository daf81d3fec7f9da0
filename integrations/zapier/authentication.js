// OAuth client credentials: an API key's id and secret for an access token, which Zapier keeps until it is refused.
'use strict';

const { url } = require('./lib/api');

const signIn = async (z, bundle) => {
  const { client_id, client_secret } = bundle.authData;
  const asked = z.request({
    url: url(bundle, '/oauth/token'),
    method: 'POST',
    body: { grant_type: 'client_credentials', client_id, client_secret },
  });
  // A 401 means everywhere else that the token is over; here, that id or secret are others.
  const response = await asked.catch((error) => {
    if (error.name !== 'RefreshAuthError') throw error;
    const why = 'Client id and secret are not those of an API key that is still good. Make one in the settings of Beaconry.';
    throw new z.errors.Error(why, 'AuthenticationError', 401);
  });
  return { access_token: response.data.access_token };
};

const withToken = (request, z, bundle) => {
  if (bundle.authData.access_token) {
    request.headers.Authorization = `Bearer ${bundle.authData.access_token}`;
  }
  return request;
};

const authentication = {
  type: 'session',
  sessionConfig: { perform: signIn },
  fields: [
    {
      key: 'base_url',
      label: 'Address of Beaconry',
      type: 'string',
      required: true,
      helpText: 'Where the console is served, like `https://console.shop.example`.',
    },
    {
      key: 'client_id',
      label: 'Client id',
      type: 'string',
      required: true,
      helpText: "Of an API key that may read and write, made in the console's settings.",
    },
    { key: 'client_secret', label: 'Client secret', type: 'password', required: true },
  ],
  test: { url: '{{bundle.authData.base_url}}/audience/sections' },
  connectionLabel: '{{bundle.authData.base_url}} ({{bundle.authData.client_id}})',
};

module.exports = { authentication, withToken };
