// Left Segment: a profile is no longer in a segment.
'use strict';

const { segment } = require('./segment');

module.exports = segment({ key: 'left_segment', label: 'Left Segment', type: 'segment.left', does: 'is no longer in' });
