package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// config is what the portal is told at start. Nothing else configures it.
type config struct {
	Listen       string
	URL          string // origin only, no trailing slash
	Issuer       string // compared byte for byte, so kept exactly as given
	ClientID     string
	ClientSecret string
	IDTokenAlg   string // as registered; "" = any asymmetric one that the provider lists
	Database     string // path of the SQLite file
	TLS          string // off, auto, or CERT.pem,KEY.pem
	CA           string // a PEM file; "" = the system's authorities
	DanCuURL     string // CSDL Dân cư
	DanCuKey     string
	IssuerBefore string // the provider's former issuer, after a move; "" = none

	edition edition          // careful.go
	given   *tls.Certificate // what TLS names, see loadTLS
	roots   *x509.CertPool   // what CA names; nil = the system's
}

var (
	errHelp    = errors.New("help was asked for")
	errVersion = errors.New("the version was asked for")
)

// lookup is os.LookupEnv.
type lookup func(string) (string, bool)

// readConfig takes each setting from its flag, else from the environment, else
// from its default, and reports every mistake at once.
func readConfig(args []string, env lookup, stdout io.Writer) (config, error) {
	var cfg config
	settings := []struct {
		flag, env, standard, usage string
		value                      *string
	}{
		{"portal-listen", "PORTAL_LISTEN", "127.0.0.1:9999", "address to listen on", &cfg.Listen},
		{"portal-url", "PORTAL_URL", "", "the portal's address in the browser (default: made from --portal-listen)", &cfg.URL},
		{"portal-issuer", "PORTAL_ISSUER", "http://localhost:9998", "the OpenID provider, exactly as its discovery document names itself", &cfg.Issuer},
		{"portal-client-id", "PORTAL_CLIENT_ID", "thanhhoa-portal", "client id registered with the provider", &cfg.ClientID},
		{"portal-client-secret", "PORTAL_CLIENT_SECRET", "thanhhoa-portal-secret", "client secret; better given in the environment, flags are seen by everybody on the machine", &cfg.ClientSecret},
		{"portal-id-token-alg", "PORTAL_ID_TOKEN_ALG", "RS256", "the algorithm registered for ID tokens; tokens signed otherwise are refused", &cfg.IDTokenAlg},
		{"portal-database", "PORTAL_DATABASE", "sqlite:var/portal.db", "the portal's own store", &cfg.Database},
		{"portal-tls", "PORTAL_TLS", "off", "off, auto (a certificate of its own, kept beside the database), or CERT.pem,KEY.pem", &cfg.TLS},
		{"portal-ca", "PORTAL_CA", "", "a PEM file with the only authorities to trust for the provider and CSDL Dân cư (default: those of the system)", &cfg.CA},
		{"portal-dancu-url", "PORTAL_DANCU_URL", "http://localhost:9997/dancu", "the population database (CSDL quốc gia về dân cư)", &cfg.DanCuURL},
		{"portal-dancu-key", "PORTAL_DANCU_KEY", "thanhhoa-dancu-key", "the portal's key there; better given in the environment", &cfg.DanCuKey},
		{"portal-issuer-before", "PORTAL_ISSUER_BEFORE", "", "the provider's former issuer after it moved; accounts follow when sub and CCCD are the same", &cfg.IssuerBefore},
	}
	flags := flag.NewFlagSet("rp-example", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	for _, s := range settings {
		value := s.standard
		if v, ok := env(s.env); ok && v != "" {
			value = v
		}
		flags.StringVar(s.value, s.flag, value, s.usage)
	}
	showVersion := flags.Bool("version", false, "print the version and stop")

	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stdout, "rp-example: a sample portal that signs people in with an OpenID provider\n\nFlag, environment variable, default:")
		for _, s := range settings {
			standard := s.standard
			if s.env == "PORTAL_CLIENT_SECRET" || s.env == "PORTAL_DANCU_KEY" {
				standard = "that of the default seed"
			}
			fmt.Fprintf(stdout, "  --%-22s %-22s %s\n      %s\n", s.flag, s.env, standard, s.usage)
		}
		fmt.Fprintln(stdout, "  --version")
		return cfg, errHelp
	case err != nil:
		return cfg, err
	case *showVersion:
		return cfg, errVersion
	case flags.NArg() > 0:
		return cfg, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return cfg, cfg.check()
}

// check reports every mistake, each with the name to change.
func (c *config) check() error {
	var wrong []error
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		wrong = append(wrong, fmt.Errorf("PORTAL_LISTEN (--portal-listen): %q is not host:port", c.Listen))
	}
	if !slices.Contains([]string{"", "RS256", "PS256", "ES256", "EdDSA"}, c.IDTokenAlg) {
		wrong = append(wrong, fmt.Errorf("PORTAL_ID_TOKEN_ALG (--portal-id-token-alg): %q is none of RS256, PS256, ES256, EdDSA", c.IDTokenAlg))
	}
	if c.URL != "" {
		u, err := webAddress(c.URL)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Errorf("PORTAL_URL (--portal-url): %w", err))
		case u.Path != "" && u.Path != "/":
			wrong = append(wrong, fmt.Errorf("PORTAL_URL (--portal-url): %q has a path; the portal lives at the root of its host", c.URL))
		default:
			c.URL = u.Scheme + "://" + withoutUsualPort(u)
		}
	}
	if _, err := webAddress(c.Issuer); err != nil {
		wrong = append(wrong, fmt.Errorf("PORTAL_ISSUER (--portal-issuer): %w", err))
	}
	if _, err := webAddress(c.DanCuURL); err != nil {
		wrong = append(wrong, fmt.Errorf("PORTAL_DANCU_URL (--portal-dancu-url): %w", err))
	}
	c.DanCuURL = strings.TrimRight(c.DanCuURL, "/")
	if c.IssuerBefore != "" {
		if _, err := webAddress(c.IssuerBefore); err != nil {
			wrong = append(wrong, fmt.Errorf("PORTAL_ISSUER_BEFORE (--portal-issuer-before): %w", err))
		}
		if c.IssuerBefore == c.Issuer {
			wrong = append(wrong, errors.New("PORTAL_ISSUER_BEFORE (--portal-issuer-before) is the issuer of today"))
		}
	}
	if c.ClientID == "" {
		wrong = append(wrong, errors.New("PORTAL_CLIENT_ID (--portal-client-id) is empty"))
	}
	if c.ClientSecret == "" {
		wrong = append(wrong, errors.New("PORTAL_CLIENT_SECRET (--portal-client-secret) is empty"))
	}
	path, ok := strings.CutPrefix(c.Database, "sqlite:")
	if !ok || path == "" {
		wrong = append(wrong, fmt.Errorf("PORTAL_DATABASE (--portal-database): %q is not of the form sqlite:PATH", c.Database))
	}
	c.Database = path
	return errors.Join(wrong...)
}

// webAddress parses an http(s) address. Addresses of the real state are
// refused, always: this is a test system and must not stand in anybody's way.
func webAddress(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" || u.Opaque != "" || strings.Contains(u.Host, "%") { // a zone of IPv6
		return nil, fmt.Errorf("%q is not an http:// or https:// address", s)
	}
	if u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil, fmt.Errorf("%q: user, query and fragment do not belong here", s)
	}
	if underGovVN(u.Hostname()) {
		return nil, fmt.Errorf("%q is under .gov.vn: a test portal never talks to real systems", s)
	}
	return u, nil
}

// underGovVN sees a host name as the resolver will (UTS #46): wide letters and
// ideographic full stops are ASCII, invisible characters are not there.
func underGovVN(host string) bool {
	host = strings.Map(func(r rune) rune {
		switch {
		case r == '。':
			return '.'
		case r > unicode.MaxASCII:
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(host))
	host = strings.TrimRight(host, ".")
	return host == "gov.vn" || strings.HasSuffix(host, ".gov.vn")
}

// withoutUsualPort is the host as browsers send it: without :80 or :443.
func withoutUsualPort(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		return strings.TrimSuffix(host, ":443")
	}
	return strings.TrimSuffix(host, ":80")
}

// listeningOn completes the settings with the address that was really taken,
// which matters when port 0 was asked for.
func (c config) listeningOn(addr net.Addr) config {
	if c.URL != "" {
		return c
	}
	host, _, _ := net.SplitHostPort(c.Listen)
	_, port, _ := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	scheme := "http"
	if c.usesTLS() {
		scheme = "https"
	}
	c.URL = scheme + "://" + withoutUsualPort(&url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)})
	return c
}

func (c config) https() bool { return strings.HasPrefix(c.URL, "https://") }
func (c config) host() string {
	_, host, _ := strings.Cut(c.URL, "://")
	return host
}
