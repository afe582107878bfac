// The pages besides the first: each with its title, what it asks for, and how it looks.

import { alertPage } from "./alert.js";
import { fleetPage } from "./fleet.js";
import { groupPage, groupsPage } from "./groups.js";
import { jobPage } from "./job.js";
import { jobsPage } from "./jobs.js";
import { componentPage, componentsPage } from "./components.js";
import { el } from "./dom.js";
import { queuePage, queuesPage } from "./queues.js";
import { heading } from "./parts.js";
import { datasetPage, datasetsPage, recordPage } from "./records.js";
import { hrefOf } from "./router.js";
import { rulePage } from "./rule.js";
import { rulesPage } from "./rules.js";
import { runPage } from "./run.js";
import { searchPage } from "./search.js";
import { channelsPage, silencesPage } from "./telling.js";

const SECTIONS = ["jobs", "errors", "queues", "components", "records", "rules"];

const missingPage = {
  title: () => "Not found",
  questions: () => ({}),
  render: () => [
    heading("There is no such page"),
    el("p", {}, "Perhaps the address is cut off. What there is: ",
      el("a", { href: hrefOf([]) }, "what is wrong now"), ", ",
      SECTIONS.map((name, place) => [place > 0 && ", ", el("a", { href: hrefOf([name]) }, name)]), "."),
  ],
};

export const PAGES = {
  jobs: jobsPage, job: jobPage, run: runPage, errors: groupsPage, group: groupPage, alert: alertPage,
  queues: queuesPage, queue: queuePage, components: componentsPage, component: componentPage,
  rules: rulesPage, rule: rulePage, silences: silencesPage, channels: channelsPage,
  records: datasetsPage, dataset: datasetPage, record: recordPage, search: searchPage, fleet: fleetPage, missing: missingPage,
};
