/** Password of every persona of the seed. */
export const password: string
/** Passcode of every ready phone. */
export const passcode: string

export interface Problem {
  title?: string
  status?: number
  detail?: string
  code?: string
  errors?: { field: string; detail: string }[]
  step?: string
  advice?: string
  callback?: string
  login?: string
}

/** What the sandbox refused. */
export class SandboxError extends Error {
  readonly status: number
  readonly code?: string
  readonly problem?: Problem
}

export interface Persona {
  cccd: string
  cmnd?: string
  name: string
  birthdate: string
  gender: 'male' | 'female'
  phone?: string
  email?: string
  account_level?: number
  status: 'active' | 'locked' | 'not_activated'
  web_login: boolean
  sms: 'instant' | 'never' | 'late'
  note?: string
}

/** Client metadata by the names of RFC 7591 and docs/api.md. */
export interface ClientMetadata {
  client_id?: string
  client_name?: string
  redirect_uris: string[]
  post_logout_redirect_uris?: string[]
  backchannel_logout_uri?: string
  token_endpoint_auth_method?: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none'
  scope?: string
  subject_type?: 'pairwise' | 'public'
  id_token_signed_response_alg?: 'RS256' | 'ES256' | 'PS256' | 'EdDSA'
  consent?: 'always' | 'once' | 'never'
  require_pkce?: boolean
  id_token_claims?: string[]
  min_account_level?: 0 | 1 | 2
  [further: string]: unknown
}

export interface RegisteredClient extends ClientMetadata {
  client_id: string
  client_secret?: string
}

export interface Login {
  cccd: string
  /** Where the portal sends the browser; or client_id and params. */
  authorize?: string
  client_id?: string
  params?: Record<string, string>
  method?: 'otp' | 'qr'
  password?: string
  passcode?: string
  consent?: boolean
  number?: number
  wait?: string
}

export interface LoginResult {
  /** The address to which the browser is led back: open it in the portal. */
  callback: string
  login: string
  state?: string
  nonce?: string
  code_verifier?: string
  form?: Record<string, string>
  /** Why nobody was signed in; the callback carries the OAuth error then. */
  refused?: { step: string; code: string; detail: string; advice?: string }
}

export interface SMS {
  id: string
  to: string
  text: string
  otp?: string
  login?: string
  sent_at: string
}

export interface Scanned {
  login: string
  client_id: string
  client_name: string
  host: string
  browser: string
  ip: string
  at: string
  seconds: number
  allowed: boolean
  message: string
  choices?: number[]
  passcode_needed: boolean
}

export interface Phone {
  scan(code: string): Promise<Scanned>
  confirm(login: string, options?: { passcode?: string; number?: number }): Promise<{ login: string; result: string }>
  refuse(login: string): Promise<{ login: string; result: string }>
  webLogin(on: boolean): Promise<{ cccd: string; web_login: boolean }>
}

export interface Clock {
  now(): Promise<Date>
  /** '5m', '2h', '90s' */
  advance(by: string): Promise<Date>
  set(to: Date | string): Promise<Date>
  reset(): Promise<Date>
}

/** A world: people, phones, SMS, clients, keys and a clock of its own. */
export class World {
  readonly id: string
  readonly issuer: string
  readonly api: string
  readonly clock: Clock
  call(method: string, path: string, body?: unknown): Promise<any>
  register(client: ClientMetadata): Promise<RegisteredClient>
  personas(query?: string): Promise<Persona[]>
  login(login: Login): Promise<LoginResult>
  sms(who: string, options?: { login?: string; after?: string; wait?: string }): Promise<SMS[]>
  lastOtp(who: string, options?: { login?: string; wait?: string }): Promise<string>
  phone(cccd: string): Phone
  reset(): Promise<void>
}

/** A running sandbox. Its own methods are those of its default world. */
export class Sandbox extends World {
  readonly sandboxUrl: string
  /** File of the local CA, with `--tls auto`. */
  readonly ca?: string
  static connect(options?: { issuer?: string; sandboxUrl?: string; token?: string }): Sandbox
  static start(options?: { bin?: string; args?: string[]; env?: Record<string, string>; timeout?: number }): Promise<Sandbox>
  world(options?: { id?: string; policy?: Record<string, unknown> }): Promise<World>
  deleteWorld(id: string): Promise<void>
  stop(): Promise<void>
}
