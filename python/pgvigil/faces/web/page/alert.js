// One alert on a page of its own, for as long as it is kept.

import { renderDetails, renderLinks, thresholdWords } from "./alerts.js";
import { actsOfAlert, renderActs } from "./acts.js";
import { get } from "./api.js";
import { el } from "./dom.js";
import { NONE, badge, time } from "./format.js";
import { heading, panel } from "./parts.js";
import { hrefOf } from "./router.js";

export const alertPage = {
  title: (route, data) => data.alert?.alert.summary ?? `Alert ${route.name}`,
  questions: (route) => ({ alert: () => get(`api/alerts/${route.name}`) }),
  render: ({ route, data, refusalOf, now }) => {
    const alert = data.alert?.alert;
    return [
      heading(alert?.summary ?? `Alert ${route.name}`, {
        back: ["Now", hrefOf([])],
        beside: alert ? [badge(alert.severity), el("span", { class: "tag" }, alert.status),
          el("div", { class: "acts" }, renderActs(actsOfAlert(alert), "alert", alert.alert_id))] : [],
      }),
      alert ? panel("alert", alert.rule_name, null,
        el("p", { class: "faint" }, thresholdWords(alert), "since ", time(alert.started_at, now),
          alert.resolved_at ? [", resolved ", time(alert.resolved_at, now), ` by ${alert.resolved_by ?? NONE}`] : null),
        el("p", { class: "alert-links" }, renderLinks(alert)),
        renderDetails(alert, data.alert, now, { hasActs: false })) : refusalOf("alert"),
    ];
  },
};
