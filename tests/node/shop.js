// A program that knows nothing of pgvigil: it has the SDK of Sentry, and ends by an exception.
//
// node shop.js DSN
const Sentry = require("@sentry/node");

Sentry.init({
    dsn: process.argv[2],
    release: "shop-front@2.0.0",
    environment: "production",
    tracesSampleRate: 1.0, // which makes transactions, of no use here
});

function count(order) {
    return order.items.length;
}

Sentry.setTag("region", "north");
Sentry.captureMessage("the cache is cold", "info");
Sentry.captureException(new Error("no tills"), { fingerprint: ["tills", "{{ type }}"] });
const every = {
    schedule: { type: "interval", value: 2, unit: "hour" },
    checkinMargin: 5,
    timezone: "Etc/UTC",
};
const run = Sentry.captureCheckIn({ monitorSlug: "sitemap", status: "in_progress" }, every);
Sentry.captureCheckIn({ checkInId: run, monitorSlug: "sitemap", status: "ok", duration: 1.5 });
Sentry.flush(20000).then(() => count({}));
