// What the browser is asked for where an event is read off the page, for a visitor who is known again, and nothing else: what
// any snippet of that kind costs before it checks, queues or listens for anything.
const visitor = localStorage['floor.visitor'] ||= crypto.randomUUID();
const textOf = selector => document.querySelector(selector).textContent;

const send = () => {
  const data = {
    orderid: textOf('#order-number'),
    totalvalue: parseFloat(textOf('#total').replace(',', '.')),
    currency: 'SEK',
    productcategories: document.querySelector('#summary').getAttribute('data-categories'),
  };
  const body = JSON.stringify({ id: crypto.randomUUID(), visitor, time: new Date, url: location.href, data });
  fetch(`${ENDPOINT}/event`, { method: 'POST', body, keepalive: true, credentials: 'omit' });
};

if (document.readyState == 'loading') addEventListener('DOMContentLoaded', send);
else send();
