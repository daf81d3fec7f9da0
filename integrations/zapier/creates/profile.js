// Create or Update Profile: sets attributes of a profile, which is made where it is missing.
'use strict';

const { items, part, profile, url } = require('../lib/api');
const { input, value } = require('../lib/fields');

/** The section's attributes, each as its current version. */
const attributesOf = async (z, bundle) => {
  const { section } = bundle.inputData;
  if (!section) return [];
  const attributes = await items(z, bundle, `/audience/sections/${part(section)}/attributes`);
  return attributes.map((attribute) => {
    const version = attribute.versions.find((one) => one.deprecated_at === null);
    const key = `attribute_${version.id.replaceAll('-', '')}`;
    return { name: attribute.name, id: version.id, key, field: { ...version.limits, name: key, required: false } };
  });
};

const perform = async (z, bundle) => {
  const attributes = await attributesOf(z, bundle);
  const given = attributes.map(({ id, key, field }) => [id, value(field, bundle.inputData[key])]);
  await z.request({
    url: url(bundle, `${profile(bundle.inputData)}/sections/${part(bundle.inputData.section)}/attributes`),
    method: 'PATCH',
    headers: { 'Content-Type': 'application/merge-patch+json' },
    body: JSON.stringify(Object.fromEntries(given.filter(([, found]) => found !== undefined))),
  });
  const { keyspace, profile_key } = bundle.inputData;
  return { id: profile_key, keyspace, profile_key };
};

module.exports = {
  key: 'profile',
  noun: 'Profile',
  display: {
    label: 'Create or Update Profile',
    description: 'Sets attributes of a profile, which is made where it is missing. What is left empty stays as it is.',
  },
  operation: {
    inputFields: [
      { key: 'section', label: 'Section', required: true, dynamic: 'sections.id.name', altersDynamicFields: true },
      { key: 'keyspace', label: 'Keyspace', required: true, dynamic: 'keyspaces.id.name' },
      { key: 'profile_key', label: 'Profile', required: true, helpText: 'The email address, mobile number or CRM id.' },
      async (z, bundle) =>
        (await attributesOf(z, bundle)).map(({ name, key, field }) => input(field, { key, label: name })),
    ],
    perform,
    sample: { id: 'ada@example.com', keyspace: 'com.apsis1.keyspaces.email', profile_key: 'ada@example.com' },
  },
};
