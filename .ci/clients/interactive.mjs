// The browser of a user who signs in to a tool on this machine.
//
//   node interactive.mjs URL USER PASSWORD
//
// opens the address, signs in and prints, as JSON, the page that the tool shows at the end.
import { signIn, withPage } from "./chromium.mjs";

const [url, user, password] = process.argv.slice(2);
await withPage(async (page) => {
  await page.goto(url);
  await signIn(page, user, password);
  await page.locator("h1").waitFor();
  const shown = { address: page.url(), title: await page.title(), text: await page.locator("[role=status]").textContent() };
  console.log(JSON.stringify(shown));
});
