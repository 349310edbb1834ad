// An OAuth 2.0 and OpenID Connect server for tests: oidc-provider, whose login and consent
// pages agree by themselves. It is configured by one JSON text in CONFIG, and writes its
// origin to standard output once it listens.
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import Provider from 'oidc-provider';
import { importSPKI, jwtVerify } from 'jose';

const config = JSON.parse(process.env.CONFIG);
const server = https.createServer({
  key: readFileSync(config.key), cert: readFileSync(config.cert),
  ca: readFileSync(config.clientCA), requestCert: true, rejectUnauthorized: false,
});
await new Promise((resolve) => server.listen(config.port ?? 0, '127.0.0.1', resolve));
const origin = `https://127.0.0.1:${server.address().port}`;

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const count = {}; // :: event or request → how often

const provider = new Provider(origin, {
  clients: config.clients,
  clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt', 'tls_client_auth'],
  cookies: { keys: ['of a test'] },
  ttl: {
    AccessToken: config.accessLife, ClientCredentials: config.accessLife, RefreshToken: 3600,
    AuthorizationCode: 60, DeviceCode: 600, Grant: 3600, Interaction: 600, Session: 3600, IdToken: 600,
  },
  scopes: ['openid', 'offline_access', 'api'],
  rotateRefreshToken: config.rotate,
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    deviceFlow: {
      enabled: true,
      async userCodeInputSource(ctx, form) { ctx.body = form; },
      async userCodeConfirmSource(ctx, form) { ctx.body = form; },
      async successSource(ctx) { ctx.body = 'connected'; },
    },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => config.requireNonce },
    revocation: { enabled: true },
    mTLS: {
      enabled: true, tlsClientAuth: true, certificateBoundAccessTokens: true,
      getCertificate(ctx) {
        const peer = ctx.socket.getPeerCertificate();
        return peer.raw ? new X509Certificate(peer.raw).toString() : undefined;
      },
      certificateAuthorized: (ctx) => ctx.socket.authorized,
      certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn'
        && `CN=${ctx.socket.getPeerCertificate().subject.CN}` === expected,
    },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  findAccount: async (ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
});
for (const event of ['grant.success', 'grant.error', 'grant.revoked']) {
  provider.on(event, () => { count[event] = (count[event] ?? 0) + 1; });
}

// The page of a person who logs in and agrees to everything.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  const { prompt, params, session, grantId } = await provider.interactionDetails(ctx.req, ctx.res);
  if (prompt.name === 'login') {
    ctx.respond = false;
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'somebody' } });
  }
  const grant = grantId ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? 'openid');
  ctx.respond = false;
  return provider.interactionFinished(ctx.req, ctx.res, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
});

// The API that tokens are for, and what was counted.
provider.use(async (ctx, next) => {
  if (ctx.path === '/count') {
    ctx.body = count;
    return undefined;
  }
  if (ctx.path !== '/api') return next();
  const [scheme, value] = ctx.get('authorization').split(' ');
  const token = await provider.AccessToken.find(value) ?? await provider.ClientCredentials.find(value);
  if (!token || token.tokenType !== scheme) {
    ctx.status = 401;
    ctx.body = { error: 'invalid_token' };
    return undefined;
  }
  const peer = ctx.socket.getPeerCertificate();
  if (token['x5t#S256'] && !peer.raw) {
    ctx.status = 401;
    return undefined;
  }
  ctx.body = { client: token.clientId, account: token.accountId, scope: token.scope, bound: token['x5t#S256'] ?? token.jkt };
  return undefined;
});

async function issue(ctx, type) {
  const { client } = ctx.oidc;
  const token = new provider.ClientCredentials({ client, scope: ctx.oidc.params.scope });
  ctx.body = { access_token: await token.save(), token_type: 'Bearer', expires_in: token.expiration, scope: token.scope, ...type };
}

provider.registerGrantType(tokenExchange, async (ctx) => {
  const { subject_token: subject, subject_token_type: type } = ctx.oidc.params;
  const found = await provider.ClientCredentials.find(subject) ?? await provider.AccessToken.find(subject);
  if (!found || !type) {
    ctx.status = 400;
    ctx.body = { error: 'invalid_request' };
    return;
  }
  await issue(ctx, { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' });
}, ['subject_token', 'subject_token_type', 'requested_token_type', 'scope', 'audience', 'resource']);

provider.registerGrantType(jwtBearer, async (ctx) => {
  try {
    const key = await importSPKI(config.assertionKey, 'ES256');
    await jwtVerify(ctx.oidc.params.assertion, key, { issuer: config.assertionIssuer, audience: origin, requiredClaims: ['exp', 'sub', 'jti'] });
    await issue(ctx, {});
  } catch {
    ctx.status = 400;
    ctx.body = { error: 'invalid_grant' };
  }
}, ['assertion', 'scope']);

const callback = provider.callback();
server.on('request', (req, res) => {
  if (req.url === '/token') count.token = (count.token ?? 0) + 1;
  callback(req, res);
});
console.log(origin);
process.stdin.on('end', () => process.exit(0)).resume();
