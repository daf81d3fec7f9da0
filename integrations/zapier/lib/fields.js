// A version's typed fields as inputs of a Zap, and what people gave for them as values of those types.
'use strict';

const TYPES = {
  text: ['string', ''],
  bool: ['boolean', ''],
  date: ['string', 'A date like 2026-03-01.'],
  timestamp: ['datetime', 'A time stamp like 2026-03-01T12:00:00Z.'],
  number: ['integer', 'A whole number.'],
  decimal: ['number', 'A number; the sign before decimals is a point.'],
};

const limits = (field) =>
  [
    field.max_length && `At most ${field.max_length} characters.`,
    field.min !== undefined && `At least ${field.min}.`,
    field.max !== undefined && `At most ${field.max}.`,
  ].filter(Boolean);

/** One field as an input; `key` and `label` where it is not to be called by its name. */
const input = (field, { key, label } = {}) => {
  const [type, help] = TYPES[field.type];
  const made = {
    key: key || `field_${field.name}`,
    label: label || field.name,
    type,
    required: field.required,
  };
  const helpText = [help, ...limits(field)].filter(Boolean).join(' ');
  if (helpText) made.helpText = helpText;
  if (field.allowed && field.allowed.length) made.choices = field.allowed;
  if (field.name === 'source') made.default = 'Zapier';
  return made;
};

/** What was given, as a value of the field's type; `undefined` where nothing was. What is no such value stays as it is, and
 * Beaconry says what is wrong with it. */
const value = (field, given) => {
  if (given === undefined || given === null || given === '') return undefined;
  switch (field.type) {
    case 'number':
    case 'decimal':
      return typeof given === 'string' && given.trim() !== '' && Number.isFinite(Number(given)) ? Number(given) : given;
    case 'bool':
      if (given === 'true') return true;
      return given === 'false' ? false : given;
    case 'text':
      return typeof given === 'string' ? given : String(given);
    case 'date':
      // Zapier makes moments of dates in some places.
      return /^\d{4}-\d{2}-\d{2}T/.test(given) ? given.slice(0, 10) : given;
    default:
      return given;
  }
};

/** Values by the names of fields. */
const values = (fields, inputData) => {
  const given = fields.map((field) => [field.name, value(field, inputData[`field_${field.name}`])]);
  return Object.fromEntries(given.filter(([, found]) => found !== undefined));
};

module.exports = { input, value, values };
