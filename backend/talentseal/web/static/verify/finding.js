"use strict";
/** Finding the record of a QR code that somebody shows: a receipt's check code, or the address in a certificate. */
import { Scanner, telling } from "../scanning.js";

/** @param {HTMLFormElement} form asks the service for the record that a check code names */
export function findByCode(form) {
  const tell = telling(form);
  const found = (text) => {
    if (text.startsWith(`${location.origin}${location.pathname}?`)) {
      location.assign(text);
    } else if (text.startsWith("TCR:")) {
      form.elements.code.value = text;
      form.requestSubmit();
    } else {
      // It may be a code that stands for a person until it is redeemed: that goes into no address.
      tell("other-code");
    }
  };
  new Scanner(form, found, tell).listen();
}
