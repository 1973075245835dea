// Compiled only: what a portal's test in TypeScript writes has to fit the types.
import { Sandbox, SandboxError, type LoginResult, type World } from 'vneid-sandbox-client'

export async function everything(): Promise<string> {
  const sandbox: Sandbox = await Sandbox.start({ bin: 'vneid-sandbox', args: ['--seed', 'default'], timeout: 5000 })
  const world: World = await sandbox.world({ policy: { otp_lifetime: '10s' } })
  const client = await world.register({ redirect_uris: ['http://localhost:3000/callback'], consent: 'never' })
  const result: LoginResult = await world.login({ client_id: client.client_id, cccd: '038090000001', method: 'qr' })
  // @ts-expect-error there is no such way to sign in
  await world.login({ cccd: '038090000001', method: 'face' })
  // @ts-expect-error a code is a text
  await world.phone('038090000001').scan(1)
  const at: Date = await world.clock.advance('5m')
  await sandbox.stop()
  return `${result.callback} ${result.refused?.code} ${await world.lastOtp('0950000001')} ${at.toISOString()} ${SandboxError.name}`
}
