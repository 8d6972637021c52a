/**
 * What the page says and accepts. Pure functions.
 * @module texts
 */

import { isFinal } from "../client/error.js";

/** Name and room have 1 to this many UTF-16 units. */
export const longestName = 20;

/** Messages for a person; tests and translators find them here. */
export const texts = Object.freeze({
    title: "Chat of Shaddock",
    badLength: "Name/Channel is too long or too short. 20 character max.",
    badCharacter: "Bad character in Name/Channel. Can only have letters, numbers, Chinese characters, and '_'",
    noServer: "There is no server to log in, please wait.",
    duplicate: "Please change your name to login.",
    duplicateThere: "Your name is taken in that room.",
    sameRoom: "You are in that room already.",
    refused: "The room cannot be entered now, please try again.",
    timeout: "The server does not answer, please try again.",
    notSent: "The message was not delivered, please try again.",
    notConnected: "You are not connected.",
    lost: "The connection is lost.",
    tryingNow: "Trying again now.",
    all: "all",
    you: "you",
    talkToAll: "Talk to everyone in the room",
    state: Object.freeze({ connected: "Connected", connecting: "Connecting\u2026", disconnected: "Disconnected" }),
    online: (name) => `${name} is online now.`,
    offline: (name) => `${name} is offline now.`,
    entered: (room) => `You are in the room ${room}.`,
    tryingAgain: (seconds) => `Trying again in ${seconds} s.`,
    kicked: (reason) => `The server closed the connection: ${reason}`,
    targetGone: (name) => `${name} is offline now. Choose who gets the message.`,
    targetOffline: (name) => `${name} (offline)`,
    talkTo: (name) => `Talk to ${name} in private`,
    members: (count) => `${count} ${count === 1 ? "member" : "members"}`,
    unread: (count) => `(${count}) `,
});

const allowed = /^[A-Za-z0-9_\u4e00-\u9fa5]+$/;

/**
 * Checks names before anything is sent.
 * @param {...string} names a person's name, a room
 * @returns {string|null} what is wrong with one of them, or null
 */
export function problemOf(...names) {
    if (names.some((name) => name.length < 1 || name.length > longestName)) {
        return texts.badLength;
    }
    return names.every((name) => allowed.test(name)) ? null : texts.badCharacter;
}

/**
 * @param {{code?: string, reason?: string}} error of the client library
 * @param {"login"|"switch"|"send"} during
 * @returns {string} what to tell the person
 */
export function textOfError(error, during) {
    const whenSending = during === "send";
    switch (error.code) {
    case "no_server":
    case "connect":
        return texts.noServer;
    case "duplicate":
        return during === "login" ? texts.duplicate : texts.duplicateThere;
    case "kicked":
        return isFinal(error) ? texts.kicked(error.reason) : texts.lost;
    case "refused":
        return whenSending ? texts.notSent : texts.refused;
    case "timeout":
        return whenSending ? texts.notSent : texts.timeout;
    case "closed":
    case "heartbeat":
        return whenSending ? texts.notConnected : texts.lost;
    default:
        return whenSending ? texts.notSent : texts.refused;
    }
}

/** @param {Date} time @returns {string} HH:MM in local time */
export function clockText(time) {
    return `${String(time.getHours()).padStart(2, "0")}:${String(time.getMinutes()).padStart(2, "0")}`;
}

/**
 * @param {string} name
 * @param {number} count
 * @returns {number} 0 to count-1, always the same for a name: its colour
 */
export function hueOf(name, count) {
    let sum = 0;
    for (const character of name) {
        sum = (sum * 131 + character.codePointAt(0) * 7) % 9973;
    }
    return sum % count;
}
