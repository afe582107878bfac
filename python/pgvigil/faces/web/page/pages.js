// The pages besides the first: each with its title, what it asks for, and how it looks.

import { alertPage } from "./alert.js";
import { fleetPage } from "./fleet.js";
import { groupPage, groupsPage } from "./groups.js";
import { jobPage } from "./job.js";
import { jobsPage } from "./jobs.js";
import { el } from "./dom.js";
import { heading } from "./parts.js";
import { hrefOf } from "./router.js";
import { rulePage } from "./rule.js";
import { rulesPage } from "./rules.js";
import { runPage } from "./run.js";
import { searchPage } from "./search.js";
import { channelsPage, silencesPage } from "./telling.js";

const missingPage = {
  title: () => "Not found",
  questions: () => ({}),
  render: () => [
    heading("There is no such page"),
    el("p", {}, "Perhaps the address is cut off. What there is: ",
      el("a", { href: hrefOf([]) }, "what is wrong now"), ", ", el("a", { href: hrefOf(["jobs"]) }, "jobs"), ", ",
      el("a", { href: hrefOf(["errors"]) }, "errors"), " and ", el("a", { href: hrefOf(["rules"]) }, "rules"), "."),
  ],
};

export const PAGES = {
  jobs: jobsPage, job: jobPage, run: runPage, errors: groupsPage, group: groupPage, alert: alertPage,
  rules: rulesPage, rule: rulePage, silences: silencesPage, channels: channelsPage, search: searchPage, fleet: fleetPage,
  missing: missingPage,
};
