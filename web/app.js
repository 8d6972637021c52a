/**
 * The chat page: joins the chat of client/chat.js with the views of page/.
 * The gate is on the host that the page came from, port 3014 or `?gate=PORT`.
 * @module app
 */
import { Chat, everyone } from "./client/chat.js";
import { Composer } from "./page/composer.js";
import { byId } from "./page/dom.js";
import { MemberList } from "./page/member_list.js";
import { MessageList } from "./page/message_list.js";
import { steadyTimers } from "./page/steady_timers.js";
import { problemOf, textOfError, texts } from "./page/texts.js";

const defaultGatePort = 3014;

const chat = new Chat({ gateUrl: gateUrl(window.location), timers: steadyTimers(), reconnect: true });
const messages = new MessageList();
const members = new MemberList(() => {
    composer.clearError();
    composer.focus();
});
const composer = new Composer(send);
/** Whom to log in again after the connection was lost. */
let last = { name: "", room: "" };
let unread = 0;
/** Of the seconds until the next try to come back; null: no try is waited for. */
let countdown = null;

chat.on("message", (message) => {
    messages.addMessage(message, chat.name);
    countUnread();
});
chat.on("online", (name) => messages.addNotice(texts.online(name)));
chat.on("offline", (name) => messages.addNotice(texts.offline(name)));
chat.on("members", (names) => members.show(names, chat.name));
chat.on("reconnecting", ({ delayMs, error }) => {
    showLost(textOfError(error, "login"));
    countDown(delayMs);
});
chat.on("reconnect", showConnected);
chat.on("close", (error) => showLost(textOfError(error, "login")));

byId("login-form").addEventListener("submit", (event) => {
    event.preventDefault();
    logIn(byId("login-name").value.trim(), byId("login-room").value.trim());
});
byId("switch-open").addEventListener("click", openSwitch);
byId("switch-cancel").addEventListener("click", () => byId("switch").close());
byId("switch-form").addEventListener("submit", (event) => {
    event.preventDefault();
    switchRoom(byId("switch-room").value.trim());
});
byId("leave").addEventListener("click", leave);
byId("reconnect").addEventListener("click", reconnect);
window.addEventListener("online", () => chat.retry());
document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
        unread = 0;
        showTitle();
    }
});
byId("login-name").focus();

async function logIn(name, room) {
    const problem = problemOf(name, room);
    const error = byId("login-error");
    error.textContent = problem ?? "";
    byId("login-name").ariaInvalid = String(problemOf(name) !== null);
    byId("login-room").ariaInvalid = String(problemOf(room) !== null);
    if (problem !== null) {
        byId(problemOf(name) === null ? "login-room" : "login-name").focus();
        return;
    }
    setLoginBusy(true);
    try {
        await chat.login(name, room);
    } catch (cause) {
        error.textContent = textOfError(cause, "login");
        return;
    } finally {
        setLoginBusy(false);
    }
    messages.clear();
    composer.clear();
    members.resetTarget();
    byId("login").hidden = true;
    byId("chat").hidden = false;
    showConnected();
    composer.focus();
}

/** The same name and room again, after the connection was lost; the messages stay. */
async function reconnect() {
    if (countdown !== null) {
        showTrying();
        chat.retry();
        return;
    }
    showConnection("connecting");
    byId("reconnect").disabled = true;
    try {
        await chat.login(last.name, last.room);
    } catch (cause) {
        showLost(textOfError(cause, "login"));
        return;
    } finally {
        byId("reconnect").disabled = false;
    }
    showConnected();
    composer.focus();
}

async function switchRoom(room) {
    const error = byId("switch-error");
    const problem = room === chat.room ? texts.sameRoom : problemOf(room);
    error.textContent = problem ?? "";
    if (problem !== null) {
        byId("switch-room").focus();
        return;
    }
    byId("switch-go").disabled = true;
    try {
        await chat.switchRoom(room);
    } catch (cause) {
        error.textContent = textOfError(cause, "switch");
        return;
    } finally {
        byId("switch-go").disabled = false;
    }
    byId("switch").close();
    // What is being written to one person stays addressed to that person.
    if (composer.isEmpty) {
        members.resetTarget();
    }
    showRoom();
    composer.focus();
}

async function send(text) {
    const { target } = members;
    if (!chat.isConnected) {
        composer.showError(texts.notConnected);
        return;
    }
    if (!members.isTargetHere) {
        composer.showError(texts.targetGone(target));
        return;
    }
    composer.clear();
    try {
        await chat.send(text, target);
    } catch (cause) {
        composer.restore(text);
        composer.showError(textOfError(cause, "send"));
        return;
    }
    // Of a private message no copy comes back.
    if (target !== everyone && target !== chat.name) {
        messages.addMessage({ from: chat.name, target, text }, chat.name);
    }
}

function leave() {
    chat.leave();
    stopCountdown();
    byId("switch").close();
    byId("chat").hidden = true;
    byId("login").hidden = false;
    byId("login-error").textContent = "";
    byId("login-name").focus();
    unread = 0;
    showConnection("disconnected");
    document.title = texts.title;
}

function openSwitch() {
    byId("switch-room").value = "";
    byId("switch-error").textContent = "";
    byId("switch").showModal();
}

function showConnected() {
    stopCountdown();
    byId("lost").hidden = true;
    composer.clearError();
    showConnection("connected");
    showRoom();
}

function showRoom() {
    last = { name: chat.name, room: chat.room };
    byId("room-title").textContent = chat.room;
    byId("own-name").textContent = chat.name;
    messages.addNotice(texts.entered(chat.room));
    showTitle();
}

function showLost(text) {
    stopCountdown();
    showConnection("disconnected");
    byId("switch").close();
    // The same text is not said again at each try.
    if (byId("lost").hidden || byId("lost-text").textContent !== text) {
        byId("lost-text").textContent = text;
        byId("lost").hidden = false;
    }
}

function countDown(delayMs) {
    const end = Date.now() + delayMs;
    const show = () => {
        const seconds = Math.ceil((end - Date.now()) / 1000);
        if (seconds > 0) {
            byId("lost-wait").textContent = texts.tryingAgain(seconds);
        } else {
            showTrying();
        }
    };
    countdown = setInterval(show, 200);
    show();
}

function showTrying() {
    clearInterval(countdown);
    byId("lost-wait").textContent = texts.tryingNow;
    showConnection("connecting");
}

function stopCountdown() {
    clearInterval(countdown);
    countdown = null;
    byId("lost-wait").textContent = "";
}

function showConnection(state) {
    const line = byId("connection");
    line.dataset.state = state;
    byId("chat").dataset.state = state;
    line.textContent = texts.state[state];
    composer.enable(state === "connected");
    byId("switch-open").disabled = state !== "connected";
}

function setLoginBusy(isBusy) {
    byId("login-join").disabled = isBusy;
    byId("login-join").textContent = isBusy ? texts.state.connecting : "Join";
}

function countUnread() {
    if (document.hidden) {
        ++unread;
        showTitle();
    }
}

function showTitle() {
    document.title = `${unread > 0 ? texts.unread(unread) : ""}${chat.room} \u2013 ${texts.title}`;
}

function gateUrl({ protocol, hostname, search }) {
    const port = Number(new URLSearchParams(search).get("gate") ?? defaultGatePort);
    const isPort = Number.isInteger(port) && port > 0 && port < 65536;
    return `${protocol === "https:" ? "wss:" : "ws:"}//${hostname}:${isPort ? port : defaultGatePort}`;
}
