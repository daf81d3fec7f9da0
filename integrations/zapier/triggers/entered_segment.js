// Entered Segment: a profile comes into a segment.
'use strict';

const { segment } = require('./segment');

module.exports = segment({ key: 'entered_segment', label: 'Entered Segment', type: 'segment.entered', does: 'comes into' });
