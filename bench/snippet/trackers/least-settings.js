// What `least.js` reads, in a script of its own, as every event's snippet is.
(window.least ||= []).push(['#order-number', '#total', '#summary']);
