package sandbox

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// Config is everything that can be set. Empty fields get their defaults in
// [Start], so the zero Config is a valid one.
type Config struct {
	Listen        string // of the provider, localhost:9998
	Issuer        string // exactly as in tokens; http://LISTEN, https://LISTEN with TLS; "request": as each request names us
	BrowserURL    string // with Issuer "request": where browsers find the provider, when the names of containers mean nothing to them
	SandboxListen string // localhost:9997
	AttackListen  string // of the attacker that faults lead to, or off
	SandboxURL    string // as browsers see it; http://SANDBOX-LISTEN, https://SANDBOX-LISTEN with TLS
	TLS           string // off, auto, or CERT.pem,KEY.pem: of both listeners
	Database      string // sqlite:PATH, sqlite::memory: or postgres://…; default sqlite:DATA/sandbox.db
	Seed          string // default, none, or a seed file
	Data          string // folder for whatever is kept, var
	LogFormat     string // text or json
	KeyRotation   string // off, or how old a signing key gets: 2160h
	Record        string // on or off: whether logins are recorded for developers
	TrustCA       string // PEM file that vouches for clients told of logouts by https, besides the system's and ours

	AllowHosts []string        // hosts beyond loopback: of requests and of registered URIs
	Policy     vneid.Policy    // zero = vneid.DefaultPolicy
	Clients    []people.Client // added or replaced at every start
	Faults     []fault.Armed   // armed in a world with nothing armed: at its start and after a reset

	// Token, when there is one, is what the sandbox listener asks for. It comes
	// from the environment only: flags show in process lists, and files get
	// committed.
	Token string

	// SealingKey encrypts the signing keys in the database: 32 bytes in base64
	// or hex, from the environment only. OldSealingKey is the former one.
	SealingKey, OldSealingKey string

	// MaxConnections bounds the open connections of both listeners together;
	// 0 = 16,000, or three quarters of the files that the program may open.
	MaxConnections int

	issuerFromRequest bool   // Issuer was "request"; it is now what phones and pages use
	allowHosts        string // AllowHosts as a flag has it, with commas

	LogOutput   io.Writer // os.Stderr
	Version     string    // shown on the landing page
	CheapHashes bool      // for tests: password hashes that cost nothing and protect nothing

	sources map[string]string // where each setting was set, for the console
}

// Values of Record.
const (
	recordOn  = "on"
	recordOff = "off"
)

// attackOff is AttackListen of a sandbox without an attacker.
const attackOff = "off"

const envPrefix = "VNEID_SANDBOX_"

// minToken is the least length of a token, in characters.
const minToken = 16

// A setting is a flag, an environment variable and a key of the file.
type setting struct {
	key, value, help string // key as in YAML
	field            func(*Config) *string
}

func (s setting) flag() string { return "--" + strings.ReplaceAll(s.key, "_", "-") }
func (s setting) env() string  { return envPrefix + strings.ToUpper(s.key) }

var settings = []setting{
	{"listen", "localhost:9998", "address of the provider", func(c *Config) *string { return &c.Listen }},
	{"issuer", "http[s]://LISTEN", "issuer, exactly as in tokens; request = the name each request uses", func(c *Config) *string { return &c.Issuer }},
	{"sandbox_listen", "localhost:9997", "address of people, SMS inbox and API", func(c *Config) *string { return &c.SandboxListen }},
	{"attack_listen", "off", "address of the attacker that faults lead to: localhost:9996", func(c *Config) *string { return &c.AttackListen }},
	{"sandbox_url", "http[s]://SANDBOX-LISTEN", "its URL as browsers see it", func(c *Config) *string { return &c.SandboxURL }},
	{"browser_url", "URL", "with --issuer request: the provider as browsers see it", func(c *Config) *string { return &c.BrowserURL }},
	{"tls", "off", "off, auto (a local CA under DATA), or CERT.pem,KEY.pem", func(c *Config) *string { return &c.TLS }},
	{"database", "sqlite:DATA/sandbox.db", "or sqlite::memory:, or postgres://USER@HOST/NAME", func(c *Config) *string { return &c.Database }},
	{"seed", "default", "default, none, or a FILE with personas and clients", func(c *Config) *string { return &c.Seed }},
	{"data", "var", "folder for whatever is kept", func(c *Config) *string { return &c.Data }},
	{"log_format", "text", "text or json", func(c *Config) *string { return &c.LogFormat }},
	{"trust_ca", "FILE", "PEM to trust for back-channel logout by https", func(c *Config) *string { return &c.TrustCA }},
	{"allow_hosts", "NAME,NAME", "further names of this machine, and hosts of relying parties", func(c *Config) *string { return &c.allowHosts }},
	{"record", "on", "record logins for developers: on or off", func(c *Config) *string { return &c.Record }},
	{"key_rotation", "off", "age at which signing keys are replaced: off, or 2160h", func(c *Config) *string { return &c.KeyRotation }},
}

// Usage lists the flags of serve.
func Usage() string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %-18s %-24s %s\n", "--config", "FILE", "read settings from a YAML file")
	for _, s := range settings {
		fmt.Fprintf(&b, "  %-18s %-24s %s\n", s.flag(), s.value, s.help)
	}
	fmt.Fprintf(&b, "Every flag is also an environment variable (%s) and a key of the file (%s).\n"+
		"Flags win over the environment, the environment over the file.\n"+
		"%s, at least %d characters, makes API and SMS inbox ask for a token.\n"+
		"%s, 32 bytes in base64 or hex, encrypts the signing keys in the database.\n",
		settings[2].env(), settings[2].key, envPrefix+"TOKEN", minToken, envPrefix+"KEY")
	return b.String()
}

// reading is a configuration being read: what is set, where each value comes
// from, and what is wrong.
type reading struct {
	Config
	source   map[string]string // key -> "--listen", "VNEID_SANDBOX_LISTEN", "sandbox.yaml:3"
	mistakes strictyaml.Mistakes
}

// ParseServe reads the configuration of serve: flags first, then environment,
// then the file of --config, then defaults. The error is a
// strictyaml.Mistakes with everything that is wrong.
func ParseServe(args []string, env func(string) string) (Config, error) {
	r := &reading{source: map[string]string{}}
	flags := r.parseFlags(args)
	file, source := flags["config"], "--config"
	if file == "" {
		file, source = env(envPrefix+"CONFIG"), envPrefix+"CONFIG"
	}
	if file != "" {
		content, err := readFile(file, strictyaml.MaxSize)
		if err != nil {
			r.add(source, "", err.Error(), "name a readable file")
		} else {
			r.readYAML(file, content)
		}
	}
	for _, s := range settings {
		if v := env(s.env()); v != "" {
			*s.field(&r.Config), r.source[s.key] = v, s.env()
		}
		if v, ok := flags[s.key]; ok {
			*s.field(&r.Config), r.source[s.key] = v, s.flag()
		}
	}
	r.Token = env(envPrefix + "TOKEN")
	r.readSealingKeys(env)
	r.check()
	r.sources = r.source
	return r.Config, r.mistakes.Err()
}

// CheckFile reads a configuration file alone, as "config check" does.
func CheckFile(name string, env func(string) string) error {
	r := &reading{source: map[string]string{}}
	content, err := readFile(name, strictyaml.MaxSize)
	if err != nil {
		return strictyaml.Mistakes{{Source: name, What: err.Error()}}
	}
	r.readYAML(name, content)
	r.Token = env(envPrefix + "TOKEN")
	r.readSealingKeys(env)
	r.check()
	return r.mistakes.Err()
}

// readFile reads at most most+1 bytes of a file: no endless ones.
func readFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most+1))
}

// parseFlags reads "--name value" and "--name=value"; one dash will do.
func (r *reading) parseFlags(args []string) map[string]string {
	known := []string{"--config"}
	keys := map[string]string{"--config": "config"}
	for _, s := range settings {
		known = append(known, s.flag())
		keys[s.flag()] = s.key
	}
	got := map[string]string{}
	for i := 0; i < len(args); i++ {
		if !strings.HasPrefix(args[i], "-") {
			r.add("serve", args[i], "an argument that nobody asked for", "settings are flags: --listen localhost:9998")
			continue
		}
		name, value, inline := strings.Cut("--"+strings.TrimLeft(args[i], "-"), "=")
		key, ok := keys[name]
		if !ok {
			r.mistakes = append(r.mistakes, strictyaml.Unknown("serve", name, known))
			if !inline && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
				i++ // its value
			}
			continue
		}
		if !inline {
			if i+1 == len(args) {
				r.add(name, "", "has no value", "write "+name+" VALUE")
				break
			}
			i++
			value = args[i]
		}
		if value == "" {
			r.add(name, "", "is empty", "leave it out to get the default")
			continue
		}
		got[key] = value
	}
	return got
}

func (r *reading) add(source, key, what, hint string) {
	r.mistakes = append(r.mistakes, strictyaml.Mistake{Source: source, Key: key, What: what, Hint: hint})
}

// wrong records a mistake of a setting where it was set.
func (r *reading) wrong(key, what, hint string) {
	source := r.source[key]
	if strings.HasPrefix(source, "--") || strings.HasPrefix(source, envPrefix) {
		key = "" // the source says it
	}
	if source == "" {
		source = "config"
	}
	r.add(source, key, what, hint)
}

// complete fills in the defaults. Addresses with port 0 leave the URLs to
// [Start], which knows the port.
func (c *Config) complete() {
	c.Listen = orDefault(c.Listen, "localhost:9998")
	c.SandboxListen = orDefault(c.SandboxListen, "localhost:9997")
	c.Data = orDefault(c.Data, "var")
	c.Database = orDefault(c.Database, "sqlite:"+filepath.ToSlash(filepath.Join(c.Data, "sandbox.db")))
	c.Seed = orDefault(c.Seed, "default")
	c.LogFormat = orDefault(c.LogFormat, "text")
	c.Record = orDefault(c.Record, recordOn)
	c.TLS = orDefault(c.TLS, tlsOff)
	c.AttackListen = orDefault(c.AttackListen, attackOff)
	c.KeyRotation = orDefault(c.KeyRotation, rotationOff)
	if c.Policy == (vneid.Policy{}) {
		c.Policy = vneid.DefaultPolicy()
	}
	if c.Issuer == fromRequest {
		c.issuerFromRequest, c.Issuer = true, c.BrowserURL
	}
	if c.allowHosts != "" {
		c.AllowHosts, c.allowHosts = append(slices.Clone(c.AllowHosts), splitList(c.allowHosts)...), ""
	}
	if c.LogOutput == nil {
		c.LogOutput = os.Stderr
	}
}

// splitList reads "a, b".
func splitList(s string) (list []string) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			list = append(list, part)
		}
	}
	return list
}

func orDefault(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// check completes the configuration and reports whatever is wrong with it.
func (r *reading) check() {
	r.complete()
	r.checkListen("listen", r.Listen)
	r.checkListen("sandbox_listen", r.SandboxListen)
	if r.AttackListen == attackOff {
		for _, m := range fault.WithoutAttacker(r.Faults) {
			r.add("config", m.Field, m.What, "or set attack_listen: localhost:9996")
		}
	} else {
		r.checkListen("attack_listen", r.AttackListen)
		if (r.AttackListen == r.Listen || r.AttackListen == r.SandboxListen) && !strings.HasSuffix(r.AttackListen, ":0") {
			r.wrong("attack_listen", "the same address as another listener", "the attacker is on a port of its own")
		}
	}
	if r.Listen == r.SandboxListen && !strings.HasSuffix(r.Listen, ":0") {
		r.wrong("sandbox_listen", "the same address as listen", "provider and sandbox are two listeners")
	}
	if r.BrowserURL != "" && !r.issuerFromRequest {
		r.wrong("browser_url", "has no meaning beside a fixed issuer", "leave it out, or set --issuer request: the issuer is then the name by which each relying party calls")
	}
	r.checkURL("browser_url", r.BrowserURL)
	if isEveryAddress(r.Listen) && r.Issuer == "" && !r.issuerFromRequest {
		r.wrong("issuer", "cannot be guessed when listening on every address", "write the URL that browsers will use: --issuer http://192.168.1.10:9998")
	}
	if isEveryAddress(r.SandboxListen) && r.SandboxURL == "" {
		r.wrong("sandbox_url", "cannot be guessed when listening on every address", "write the URL that browsers will use: --sandbox-url http://192.168.1.10:9997")
	}
	r.checkURL("issuer", r.Issuer)
	r.checkURL("sandbox_url", r.SandboxURL)
	r.checkTLS(vneid.SystemClock{})
	r.checkKeys()
	if _, err := r.trusted(nil); err != nil {
		r.wrong("trust_ca", err.Error(), "name a readable file with certificates in PEM")
	}
	if r.LogFormat != "text" && r.LogFormat != "json" {
		r.wrong("log_format", fmt.Sprintf("%q is neither text nor json", r.LogFormat), "")
	}
	if r.Record != recordOn && r.Record != recordOff {
		r.wrong("record", fmt.Sprintf("%q is neither on nor off", r.Record), "")
	}
	switch scheme, _, _ := strings.Cut(r.Database, ":"); scheme {
	case "sqlite", "postgres", "postgresql":
	default: // not shown: it may hold a password
		r.wrong("database", "no database this program knows", "write sqlite:PATH, sqlite::memory: or postgres://USER@HOST/NAME")
	}
	if n := len(r.Token); n > 0 && n < minToken {
		r.add(envPrefix+"TOKEN", "", fmt.Sprintf("%d characters", n), fmt.Sprintf("take at least %d, from a random source: openssl rand -hex 16", minToken))
	}
	for i, h := range r.AllowHosts {
		r.AllowHosts[i] = strings.ToLower(h)
		if vneid.IsGovHost(h) {
			r.wrong("allow_hosts", h+": hosts under .gov.vn are refused, always", "this is a test system; give the machine another name")
		} else if h == "" || strings.ContainsAny(h, "/: \t*@") {
			r.wrong("allow_hosts", fmt.Sprintf("%q is no host name", h), "write the bare name, without scheme, port and wildcards")
		}
	}
	if _, err := r.loadSeed(vneid.SystemClock{}); err != nil {
		if list, ok := err.(strictyaml.Mistakes); ok {
			r.mistakes = append(r.mistakes, list...)
		} else {
			r.wrong("seed", err.Error(), "write default, none, or the name of a readable file")
		}
	}
}

// loadSeed is the seed that Seed names, with the clients of the configuration.
func (c *Config) loadSeed(clock vneid.Clock) (people.Data, error) {
	switch c.Seed {
	case "default":
		return people.Default(c.scheme()), nil
	case "none":
		return people.None(), nil
	}
	content, err := readFile(c.Seed, people.MaxFile)
	if err != nil {
		return people.Data{}, err
	}
	return people.Read(c.Seed, content, clock.Now().Year(), c.AllowHosts)
}

func (r *reading) checkListen(key, address string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		r.wrong(key, fmt.Sprintf("%q is no address", address), "write HOST:PORT, such as localhost:9998")
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		r.wrong(key, fmt.Sprintf("%q is no port", port), "ports are 0 (any free one) to 65535")
	}
	if vneid.IsGovHost(host) {
		r.wrong(key, "hosts under .gov.vn are refused, always", "this is a test system; give the machine another name")
		return
	}
	if !isLoopbackName(host) && r.Token == "" {
		r.wrong(key, address+" can be reached by other machines, and "+envPrefix+"TOKEN is not set",
			fmt.Sprintf("listen on localhost, or set a token of at least %d characters that API and SMS inbox then ask for", minToken))
	}
}

// checkURL holds issuer and sandbox URL against OIDC Discovery §3 and our own
// rule that the sandbox is never called like the state.
func (r *reading) checkURL(key, raw string) {
	if raw == "" {
		return
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		r.wrong(key, fmt.Sprintf("%q is no http(s) URL", raw), "write http://localhost:9998 or https://…")
	case vneid.IsGovHost(u.Hostname()):
		r.wrong(key, "hosts under .gov.vn are refused, always", "this is a test system; take localhost or a *.test name")
	case strings.HasSuffix(raw, "/"):
		r.wrong(key, "ends with a slash", "write "+strings.TrimRight(raw, "/"))
	case strings.ContainsAny(raw, "?#") || u.User != nil:
		r.wrong(key, "has a query, a fragment or a user name", "write scheme, host and port only")
	case u.Path != "":
		r.wrong(key, "has a path", "write scheme, host and port only; a proxy in front forwards a whole host")
	case raw != strings.ToLower(raw):
		r.wrong(key, "has capital letters", "issuers are compared letter by letter; write "+strings.ToLower(raw))
	}
}

// isEveryAddress reports whether a listener takes all addresses of the machine,
// so that none of them can be its URL.
func isEveryAddress(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	ip := net.ParseIP(host)
	return err == nil && (host == "" || ip != nil && ip.IsUnspecified())
}

// isLoopbackName reports whether a host name can only mean this machine.
func isLoopbackName(host string) bool {
	h := strings.TrimRight(strings.ToLower(host), ".")
	if h == "localhost" || strings.HasSuffix(h, ".localhost") {
		return true
	}
	ip := net.ParseIP(h)
	return ip != nil && ip.IsLoopback()
}

// checkPolicy holds the numbers of the file against what makes sense.
func checkPolicy(f *strictyaml.File, p *policyFile) {
	number := func(key string, n, low, high int) {
		if n < low || n > high {
			f.Add("policy."+key, fmt.Sprintf("%d is out of range", n), fmt.Sprintf("%d to %d", low, high))
		}
	}
	number("otp_digits", p.OTPDigits, 4, 10)
	number("otp_tries", p.OTPTries, 1, 100)
	number("sms_per_number", p.SMSPerNumber, 1, 1000)
	number("password_tries", p.PasswordTries, 1, 100)
	number("passcode_tries", p.PasscodeTries, 1, 100)
	number("qr_per_login", p.QRPerLogin, 1, 1000)
	number("qr_code_tries", p.CodeTries, 1, 1000)
	if !slices.Contains(vneid.SecondFactors(), p.SecondFactor) {
		f.Add("policy.second_factor", fmt.Sprintf("%q is no second factor", p.SecondFactor), strings.Join(vneid.SecondFactors(), ", "))
	}
	number("logins_per_minute", p.LoginsPerMinute, 0, 1_000_000)
	durations := p.durations()
	for _, key := range slices.Sorted(maps.Keys(durations)) {
		d, low := durations[key], time.Second
		if slices.Contains([]string{"otp_resend_after", "sms_window", "password_lock", "passcode_lock", "qr_code_window", "app_fresh"}, key) {
			low = 0
		}
		if *d < low || *d > 366*24*time.Hour {
			f.Add("policy."+key, d.String()+" is out of range", low.String()+" to 8784h")
		}
	}
}
