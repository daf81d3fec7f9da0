// Point and click: tells how far it has come, and has what was picked put into the form, which is sent as it stands so that
// nothing that was typed is lost. The markup is the server's own, escaped there.
const stands = document.getElementById('picks');

// Takes what the form does not hold yet; asks again once the form is there anew, for what came meanwhile.
const take = () => {
  const there = Number(stands.querySelector('[data-count]')?.dataset.count ?? 0);
  const taken = Number(document.querySelector('#editor [name=taken]')?.value ?? 0);
  if (there > taken) document.getElementById('take')?.click();
};

if (stands) {
  const picked = new EventSource(stands.dataset.picks);
  tellsOfItself(picked, stands);
  picked.addEventListener('picks', event => {
    stands.innerHTML = event.data;
    take();
  });
  document.addEventListener('htmx:after:swap', take);
}
