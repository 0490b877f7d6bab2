import type { RequestHandler } from 'express';
import helmet from 'helmet';
import { isDecision } from '../logging/decision-paths.js';

/** Nothing but our own files; no script in a page, no frame around it. */
const STRICT = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  fontSrc: ["'self'"],
  connectSrc: ["'self'"],
  manifestSrc: ["'self'"],
  formAction: ["'self'"],
  baseUri: ["'none'"],
  frameAncestors: ["'none'"],
  requireTrustedTypesFor: ["'script'"],
  trustedTypes: ["'none'"],
};

/** Swagger UI writes its own scripts and styles into its page, so that one page is looser. */
const DOCS = {
  ...STRICT,
  scriptSrc: ["'self'", "'unsafe-inline'"],
  styleSrc: ["'self'", "'unsafe-inline'"],
  imgSrc: ["'self'", 'data:'],
  requireTrustedTypesFor: null,
  trustedTypes: null,
};

/** Decisions have what matters to JSON, and nothing that is about pages. */
const PAGES_ONLY = {
  crossOriginOpenerPolicy: false,
  crossOriginResourcePolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
} as const;

/** The dashboard and what it consists of: for nobody's pages but our own. */
const PAGES = /^\/(?:app|assets)(?:\/|$)|^\/(?:theme\.js|favicon\.svg)$/;

export function securityHeaders(): RequestHandler {
  const common = {
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    // Answers are meant for other origins too, where CORS allows them.
    crossOriginResourcePolicy: { policy: 'cross-origin' },
    strictTransportSecurity: { maxAge: 31_536_000, includeSubDomains: false },
  } as const;
  const strict = helmet({ ...common, contentSecurityPolicy: { useDefaults: false, directives: STRICT } });
  const pages = helmet({
    ...common,
    crossOriginResourcePolicy: { policy: 'same-origin' },
    contentSecurityPolicy: { useDefaults: false, directives: STRICT },
  });
  const bare = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] };
  const decisions = helmet({
    ...common,
    ...PAGES_ONLY,
    contentSecurityPolicy: { useDefaults: false, directives: bare },
  });
  const docs = helmet({ ...common, contentSecurityPolicy: { useDefaults: false, directives: DOCS } });
  return (request, response, next) => {
    const { path } = request;
    const headers = isDecision(path)
      ? decisions
      : /^\/docs(\/|$)/.test(path)
        ? docs
        : PAGES.test(path)
          ? pages
          : strict;
    headers(request, response, next);
  };
}
