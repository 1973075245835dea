// Starts vneid-sandbox for tests of a portal and is the tester's hands in it, by its automation API (docs/api.md). It
// needs nothing but Node, opens no page by itself, and keeps no state beyond the process it started.

import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const password = 'Sandbox@2024' // of every persona of the seed
export const passcode = '123456' // of every ready phone

/** What the sandbox refused: `status`, `code` and `problem` are those of its answer (RFC 9457). */
export class SandboxError extends Error {
  constructor(what, status, problem) {
    const detail = problem?.detail ?? problem?.title ?? ''
    const fields = (problem?.errors ?? []).map((e) => `${e.field}: ${e.detail}`).join('; ')
    const advice = problem?.advice ? ` → ${problem.advice}` : ''
    super(`${what}: ${status} ${detail}${fields ? ` (${fields})` : ''}${advice}`)
    this.name = 'SandboxError'
    this.status = status
    this.code = problem?.code
    this.problem = problem
  }
}

/** A world: people, phones, SMS, clients, keys and a clock of its own. */
export class World {
  #token
  constructor({ id, issuer, api, token }) {
    this.id = id
    this.issuer = issuer
    this.api = api
    this.#token = token
    this.clock = new Clock(this)
  }

  /** Calls a route of the automation API, for whatever has no method here. */
  async call(method, path, body) {
    const headers = {}
    if (method !== 'GET') headers['Content-Type'] = 'application/json'
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`
    const response = await fetch(this.api + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
    const text = await response.text()
    let answer
    try {
      answer = text === '' ? undefined : JSON.parse(text)
    } catch {
      answer = { detail: text.slice(0, 300) }
    }
    if (!response.ok) throw new SandboxError(`${method} ${path}`, response.status, answer)
    return answer
  }

  /** Registers a client (RFC 7591 names); the answer has its secret. */
  register(client) {
    return this.call('POST', '/clients', client)
  }

  personas(query = '') {
    return this.call('GET', `/personas?q=${encodeURIComponent(query)}`)
  }

  /**
   * Signs a person in without a browser, by the provider's own pages. `authorize` is the address to which the portal sends
   * the browser; or give `client_id` and `params`. A refusal that leads back to the portal has a callback too.
   */
  async login({ authorize, ...login }) {
    const body = { method: 'otp', ...login }
    if (authorize !== undefined) {
      const { client_id, ...params } = Object.fromEntries(new URL(authorize).searchParams)
      body.client_id = client_id
      body.params = { ...params, ...login.params }
    }
    try {
      return await this.call('POST', '/logins', body)
    } catch (e) {
      const { callback, login: id, step, code, detail, advice } = e.problem ?? {}
      if (!callback) throw e
      return { callback, login: id, refused: { step, code, detail, advice } }
    }
  }

  /** Messages to a phone number, or to a person by CCCD, the newest first. */
  async sms(who, { login, after, wait } = {}) {
    const query = new URLSearchParams({ to: await this.#numberOf(who) })
    for (const [name, value] of Object.entries({ login, after, wait })) if (value !== undefined) query.set(name, value)
    return this.call('GET', `/sms?${query}`)
  }

  /** The newest one-time password; waits for a message if there is none yet. `login` is the end of the login page's path. */
  async lastOtp(who, { login, wait = '10s' } = {}) {
    const found = (await this.sms(who, { login, wait })).find((m) => m.otp)
    if (!found) throw new Error(`no one-time password for ${who} within ${wait}`)
    return found.otp
  }

  async #numberOf(who) {
    if (!/^\d{12}$/.test(who)) return who
    const { phone } = await this.call('GET', `/personas/${who}`)
    if (!phone) throw new Error(`${who} has no phone number`)
    return phone
  }

  phone(cccd) {
    return new Phone(this, cccd)
  }

  /** Back to the seed. */
  async reset() {
    await this.call('POST', '/reset', {})
  }
}

/** The phone of a person; whoever has none gets a ready one. */
class Phone {
  #world
  #path
  constructor(world, cccd) {
    this.#world = world
    this.#path = `/phones/${encodeURIComponent(cccd)}`
  }

  /** Scans a QR code: the address it says, or the short code beside it (code#qr-code). */
  scan(code) {
    return this.#world.call('POST', `${this.#path}/scan`, { code })
  }

  /** Confirms a login that this phone scanned. */
  confirm(login, options = {}) {
    return this.#world.call('POST', `${this.#path}/confirm`, { login, passcode, ...options })
  }

  refuse(login) {
    return this.#world.call('POST', `${this.#path}/refuse`, { login })
  }

  /** "Đăng nhập trên website" on or off. */
  webLogin(on) {
    return this.#world.call('PATCH', this.#path, { web_login: on })
  }
}

/** The clock of a world, by which everything in it expires. */
class Clock {
  #world
  constructor(world) {
    this.#world = world
  }
  async now() {
    return new Date((await this.#world.call('GET', '/clock')).now)
  }
  async #move(body) {
    return new Date((await this.#world.call('POST', '/clock', body)).now)
  }
  /** Moves it on by '5m', '2h', '90s'. */
  advance(by) {
    return this.#move({ advance: by })
  }
  set(to) {
    return this.#move({ set: to instanceof Date ? to.toISOString() : to })
  }
  reset() {
    return this.#move({ reset: true })
  }
}

/** A running sandbox. Its own methods are those of its default world. */
export class Sandbox extends World {
  #process
  #data
  #ended

  /** A sandbox that runs elsewhere. */
  static connect({ issuer = 'http://localhost:9998', sandboxUrl = 'http://localhost:9997', token } = {}) {
    return new Sandbox({ issuer, sandboxUrl, api: `${sandboxUrl}/api/v1`, token })
  }

  /**
   * Starts the program (`bin`, VNEID_SANDBOX_BIN, or vneid-sandbox of the PATH) on free ports, in memory, and waits until
   * everything answers. `args` are more flags of serve.
   */
  static async start({ bin = process.env.VNEID_SANDBOX_BIN || 'vneid-sandbox', args = [], env = {}, timeout = 20_000 } = {}) {
    const data = await mkdtemp(join(tmpdir(), 'vneid-sandbox-'))
    // Settings of this machine are not those of the test.
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VNEID_SANDBOX_')))
    const flags = ['serve', '--log-format', 'json', '--listen', 'localhost:0', '--sandbox-listen', 'localhost:0', '--database', 'sqlite::memory:', '--data', data]
    const child = spawn(bin, [...flags, ...args], { env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let log = ''
    child.stderr.setEncoding('utf8').on('data', (text) => (log = (log + text).slice(-8000)))
    const ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => resolve(`ended with ${signal ?? code}`))
      child.once('error', (e) => resolve(`cannot be started: ${e.message}`))
    })
    let timer
    try {
      const ready = await Promise.race([
        new Promise((resolve) => createInterface({ input: child.stdout }).once('line', (line) => resolve(JSON.parse(line)))),
        ended.then((how) => Promise.reject(new Error(`${bin} ${how}\n${log}`))),
        new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${bin} is not ready after ${timeout} ms\n${log}`)), timeout))),
      ])
      const sandbox = new Sandbox({ issuer: ready.issuer, sandboxUrl: ready.sandbox_url, api: ready.api, token: env.VNEID_SANDBOX_TOKEN })
      sandbox.ca = ready.ca
      sandbox.#process = child
      sandbox.#data = data
      sandbox.#ended = ended
      process.once('exit', sandbox.#kill)
      return sandbox
    } catch (e) {
      child.kill('SIGKILL')
      await rm(data, { recursive: true, force: true })
      throw e
    } finally {
      clearTimeout(timer)
    }
  }

  constructor({ issuer, sandboxUrl, api, token }) {
    super({ id: 'default', issuer, api, token })
    this.sandboxUrl = sandboxUrl
  }

  /** Makes a world; `id` and `policy` are optional. */
  async world(options = {}) {
    return new World(await this.call('POST', '/worlds', options))
  }

  async deleteWorld(id) {
    await this.call('DELETE', `/worlds/${encodeURIComponent(id)}`)
  }

  #kill = () => this.#process?.kill('SIGKILL')

  /** Stops what start() started, within ten seconds. */
  async stop() {
    if (!this.#process) return
    this.#process.kill('SIGTERM')
    const timer = setTimeout(this.#kill, 12_000)
    await this.#ended
    clearTimeout(timer)
    process.removeListener('exit', this.#kill)
    this.#process = undefined
    await rm(this.#data, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]() {
    await this.stop()
  }
}
