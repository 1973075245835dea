// A portal as a test has it: the authorization code flow with PKCE, with Node alone.
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'

const random = () => randomBytes(32).toString('base64url')

export async function startPortal(issuer, { client_id, client_secret }) {
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
  if (metadata.issuer !== issuer) throw new Error(`discovery names ${metadata.issuer}`)
  const begun = new Map()
  let url
  const server = createServer(async (request, response) => {
    const at = new URL(request.url, url)
    const say = (status, text, headers = {}) => response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', ...headers }).end(text)
    try {
      if (at.pathname === '/login') {
        const [state, nonce, verifier] = [random(), random(), random()]
        begun.set(state, { nonce, verifier })
        const query = new URLSearchParams({ client_id, redirect_uri: `${url}/callback`, response_type: 'code', scope: 'openid profile', state, nonce,
          code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256' })
        return say(302, '', { Location: `${metadata.authorization_endpoint}?${query}`, 'Set-Cookie': `state=${state}; HttpOnly; SameSite=Lax` })
      }
      if (at.pathname !== '/callback') return say(404, '')
      const state = at.searchParams.get('state')
      const login = begun.get(state)
      if (!login || request.headers.cookie !== `state=${state}`) return say(400, 'this browser began no sign-in')
      begun.delete(state)
      if (at.searchParams.has('error')) return say(200, `<h1>Chưa đăng nhập: ${at.searchParams.get('error').replace(/[^a-z_]/g, '')}</h1>`)
      const basic = Buffer.from(`${encodeURIComponent(client_id)}:${encodeURIComponent(client_secret)}`).toString('base64')
      const token = await (await fetch(metadata.token_endpoint, { method: 'POST', headers: { Authorization: `Basic ${basic}` },
        body: new URLSearchParams({ grant_type: 'authorization_code', code: at.searchParams.get('code'), redirect_uri: `${url}/callback`, code_verifier: login.verifier }) })).json()
      if (!token.access_token) return say(502, `no token: ${token.error}`)
      const person = await (await fetch(metadata.userinfo_endpoint, { headers: { Authorization: `Bearer ${token.access_token}` } })).json()
      say(200, `<h1>Xin chào ${person.name}</h1>`)
    } catch (e) {
      say(500, e.message)
    }
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${server.address().port}`
  return { url, close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections() }) }
}
