"use strict";
// The verification page: one desk, with the service that it came from behind it.
import { Desk } from "./desk.js";
import { findByCode } from "./finding.js";
import { Service } from "./service.js";
import { DeskView, arrivalIn } from "./view.js";

const deskRoot = document.querySelector("[data-verifying]");
const epochs = [...deskRoot.querySelectorAll("[data-epoch-known]")].map(({ dataset }) => ({
  epoch: dataset.epochKnown,
  contract: dataset.contract,
  deployment: dataset.deployment,
}));
const pageView = new DeskView(deskRoot, document.documentElement.lang, new Desk(new Service(epochs)));
findByCode(document.querySelector("[data-finding]"));
const arrival = arrivalIn(location.search);
if (arrival === "malformed") pageView.showArrival("malformed");
else if (arrival !== null) await pageView.arrive(arrival.record, arrival.leaf);
