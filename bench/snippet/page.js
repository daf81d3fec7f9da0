// The page that everything is measured on: a shop's page after an order, about 20 kB, with no script but the pasted one.
import { ORDER } from './order.js';

const PRODUCTS = 31;
const MATERIALS = ['opal glass', 'brushed brass', 'oiled oak', 'linen', 'powder-coated steel', 'recycled paper'];
const ROOMS = ['a hallway', 'a reading corner', 'the kitchen table', 'a bedroom', 'a stairwell'];
const KINDS = ['Pendant', 'Floor lamp', 'Wall lamp', 'Table lamp'];

const STYLE = `
body{margin:0;font:16px/1.5 system-ui,sans-serif;color:#222;background:#fafaf7}
header,main,footer{max-width:960px;margin:0 auto;padding:16px}
nav a{margin-right:16px;color:inherit}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(220px,1fr));gap:16px}
.card{background:#fff;border:1px solid #e5e5df;border-radius:8px;padding:16px}
.card svg{display:block;width:100%;height:120px;background:#f1efe8}
table{width:100%;border-collapse:collapse}td,th{padding:8px;border-bottom:1px solid #e5e5df;text-align:left}`;

const card = (_, at) => {
  const kind = KINDS[at % KINDS.length];
  const [material, other] = [MATERIALS[at % MATERIALS.length], MATERIALS[(at * 5 + 2) % MATERIALS.length]];
  const room = ROOMS[at % ROOMS.length];
  return `<article class="card" id="product-${at}">
<svg viewBox="0 0 200 120" role="img" aria-label="${kind}"><path d="M100 0v${20 + at % 30}" stroke="#555"/>
<path d="M${60 + at % 9} 80L100 ${20 + at % 30}L${140 - at % 7} 80Z" fill="hsl(${at * 37 % 360} 45% 55%)"/><circle cx="100" cy="84" r="10" fill="#fe9"/></svg>
<h3>${kind} no. ${at + 100}</h3>
<p>Made of ${material} and ${other}, for ${room}. The shade is ${22 + at} cm wide, the cord ${150 + at * 5} cm long, and the bulb
(E27, at most ${8 + at % 5} W) is part of it. Wipe it with a dry cloth; leave damp rooms to others.</p>
<p><b>${(at + 3) * 49},00 kr</b> <button type="button" class="buy" data-product="${at}">Put in the basket</button></p>
</article>`;
};

const row = (label, value) => `<tr><th>${label}</th><td>${value}</td></tr>`;

/** The page with this code pasted into its head. */
export const html = paste => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Thank you for your order</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
${paste}
<style>${STYLE}</style>
</head>
<body>
<header><h1>Lamps and so on</h1><nav><a href="#lamps">Lamps</a><a href="#order">Your order</a><a href="#foot">Contact</a></nav></header>
<main>
<section id="order"><h2>Thank you for your order</h2>
<table id="summary" data-categories="${ORDER.productcategories}">
${row('Order', `<span id="order-number">${ORDER.orderid}</span>`)}
${row('In all', `<span id="total">${String(ORDER.totalvalue).replace('.', ',')} kr</span>`)}
${row('Delivery', 'Within three days, by post')}
</table></section>
<section id="lamps"><h2>Others also looked at</h2><div class="grid">
${Array.from({ length: PRODUCTS }, card).join('\n')}
</div></section>
</main>
<footer id="foot"><p>Lamps and so on, a shop that does not exist. Open on weekdays.</p></footer>
</body>
</html>
`;
