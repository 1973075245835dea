package sandbox_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func noEnv(string) string { return "" }

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if key, value, _ := strings.Cut(p, "="); key == name {
				return value
			}
		}
		return ""
	}
}

func write(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sandbox.yaml")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestWithoutAnySettingTheDefaultsOfTheContractHold(t *testing.T) {
	c, err := sandbox.ParseServe(nil, noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "localhost:9998" || c.SandboxListen != "localhost:9997" || c.Database != "sqlite:var/sandbox.db" ||
		c.Seed != "default" || c.Data != "var" || c.LogFormat != "text" || c.TLS != "off" || c.Policy != vneid.DefaultPolicy() || c.Token != "" {
		t.Errorf("got %+v", c)
	}
}

func TestFlagsWinOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	file := write(t, "listen: localhost:1\nsandbox_listen: localhost:2\nlog_format: json\ndata: from-file\n"+
		"policy:\n  otp_lifetime: 30s\n  otp_tries: 3\nallow_hosts: [Runner]\n")
	c, err := sandbox.ParseServe([]string{"--listen=localhost:5", "-data", "from-flag"},
		env("VNEID_SANDBOX_CONFIG="+file, "VNEID_SANDBOX_LISTEN=localhost:4", "VNEID_SANDBOX_SANDBOX_LISTEN=localhost:3"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "localhost:5" || c.SandboxListen != "localhost:3" || c.LogFormat != "json" || c.Database != "sqlite:from-flag/sandbox.db" {
		t.Errorf("got %+v", c)
	}
	want := vneid.DefaultPolicy()
	want.OTPLifetime, want.OTPTries = 30*time.Second, 3
	if c.Policy != want || c.AllowHosts[0] != "runner" {
		t.Errorf("policy %+v, hosts %v", c.Policy, c.AllowHosts)
	}
}

func TestAWrongConfigurationIsRefusedWithSourceAndHint(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		env  []string
		want string
	}{
		"an issuer of the state":          {[]string{"--issuer", "https://sso.dancuquocgia.gov.vn"}, nil, "--issuer: hosts under .gov.vn are refused, always"},
		"the same with a dot and letters": {[]string{"--issuer", "https://SSO.GOV.VN."}, nil, "--issuer: hosts under .gov.vn are refused"},
		"a sandbox of the state":          {[]string{"--sandbox-url", "http://gov.vn"}, nil, "--sandbox-url: hosts under .gov.vn"},
		"listening as the state":          {[]string{"--listen", "x.gov.vn:1"}, nil, "--listen: hosts under .gov.vn"},
		"an issuer with a query":          {[]string{"--issuer", "http://localhost?a=b"}, nil, "--issuer: has a query"},
		"with an empty query":             {[]string{"--issuer", "http://localhost?"}, nil, "--issuer: has a query"},
		"with a fragment":                 {[]string{"--issuer", "http://localhost#a"}, nil, "--issuer: has a query, a fragment"},
		"with a user":                     {[]string{"--issuer", "http://a:b@localhost"}, nil, "--issuer: has a query, a fragment or a user"},
		"with a slash at its end":         {[]string{"--issuer", "http://localhost:9998/"}, nil, "--issuer: ends with a slash; write http://localhost:9998"},
		"with a path":                     {[]string{"--issuer", "http://localhost:9998/idp"}, nil, "--issuer: has a path"},
		"not by http":                     {[]string{"--issuer", "ftp://localhost"}, nil, "no http(s) URL"},
		"with capitals":                   {[]string{"--issuer", "http://Localhost"}, nil, "write http://localhost"},
		"no URL":                          {[]string{"--issuer", "localhost:9998"}, nil, "no http(s) URL"},
		"open to the network":             {[]string{"--listen", "192.168.1.2:9998"}, nil, "--listen: 192.168.1.2:9998 can be reached by other machines, and VNEID_SANDBOX_TOKEN is not set"},
		"open by the environment":         {[]string{"--sandbox-url", "http://192.168.1.10:9997"}, []string{"VNEID_SANDBOX_SANDBOX_LISTEN=0.0.0.0:9997"}, "VNEID_SANDBOX_SANDBOX_LISTEN: 0.0.0.0:9997 can be reached"},
		"open on every address":           {[]string{"--listen", ":9998"}, []string{"VNEID_SANDBOX_TOKEN=0123456789abcdef"}, "issuer: cannot be guessed"},
		"a short token":                   {nil, []string{"VNEID_SANDBOX_TOKEN=short"}, "VNEID_SANDBOX_TOKEN: 5 characters; take at least 16"},
		"no port":                         {[]string{"--listen", "localhost"}, nil, "--listen: \"localhost\" is no address; write HOST:PORT"},
		"an impossible port":              {[]string{"--listen", "localhost:99999"}, nil, "is no port"},
		"one address for two":             {[]string{"--listen", "localhost:9997"}, nil, "the same address as listen"},
		"an unknown flag":                 {[]string{"--sandbox-lsten", "x"}, nil, `serve: --sandbox-lsten: unknown; did you mean "--sandbox-listen"?`},
		"half a TLS pair":                 {[]string{"--tls", "cert.pem"}, nil, "--tls: \"cert.pem\" is neither off nor auto nor two files"},
		"a flag without value":            {[]string{"--seed"}, nil, "--seed: has no value"},
		"an empty flag":                   {[]string{"--seed="}, nil, "--seed: is empty"},
		"an argument":                     {[]string{"now"}, nil, "serve: now: an argument that nobody asked for"},
		"a seed that is not there":        {[]string{"--seed", "/nowhere/seed.yaml"}, nil, "--seed: open /nowhere/seed.yaml"},
		"a file that is not there":        {[]string{"--config", "/nowhere/x.yaml"}, nil, "--config: open /nowhere/x.yaml"},
		"an unknown database":             {[]string{"--database", "mysql://x"}, nil, "--database: "},
		"an unknown format":               {[]string{"--log-format", "xml"}, nil, "--log-format: \"xml\" is neither text nor json"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := sandbox.ParseServe(c.args, env(c.env...))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
			if list := (strictyaml.Mistakes)(nil); err != nil && (!errors.As(err, &list) || len(list) != 1) {
				t.Errorf("more than one mistake: %v", err)
			}
		})
	}
}

func TestWithATokenOtherMachinesMayCall(t *testing.T) {
	_, err := sandbox.ParseServe([]string{"--listen", "0.0.0.0:9998", "--issuer", "http://192.168.1.10:9998", "--sandbox-listen", "192.168.1.10:9997"},
		env("VNEID_SANDBOX_TOKEN=0123456789abcdef"))
	if err != nil {
		t.Error(err)
	}
}

func TestConfigCheckReportsEveryMistakeWithItsLine(t *testing.T) {
	file := write(t, `listen: localhost
issuer: https://vneid.gov.vn
sandbox_lsten: localhost:1
log_format: xml
policy:
  otp_digits: 99
  otp_lifetime: 120
  fax_lifetime: 2m
  code_lifetime: 0s
allow_hosts: [a.gov.vn]
clients:
- client_id: x y
  client_secret: long-enough-secret
  redirect_uris:
  - https://portal.example.com/cb
  consent: sometimes
`)
	err := sandbox.CheckFile(file, noEnv)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{
		":1: listen: ", ":2: issuer: hosts under .gov.vn", `:3: sandbox_lsten: unknown; did you mean "sandbox_listen"?`, ":4: log_format: ",
		":6: policy.otp_digits: 99 is out of range; 4 to 10", `:7: policy.otp_lifetime: "120" is no duration; write a number with its unit`,
		":8: policy.fax_lifetime: unknown", ":9: policy.code_lifetime: 0s is out of range", ":10: allow_hosts: a.gov.vn",
		":12: clients[0].client_id: ", ":15: clients[0].redirect_uris[0]: only loopback", ":16: clients[0].consent: ",
	} {
		if !strings.Contains(err.Error(), file+want) {
			t.Errorf("missing %q in\n%v", want, err)
		}
	}
	if n := strings.Count(err.Error(), "\n") + 1; n != 12 {
		t.Errorf("%d mistakes, want 12:\n%v", n, err)
	}
}

func FuzzConfigFile(f *testing.F) {
	for _, s := range []string{"listen: localhost:1\npolicy: {otp_tries: 3}\n", "issuer: http://localhost\nclients: [{client_id: a}]\n", "seed: none\nallow_hosts: [a]\n"} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content string) {
		if strings.Contains(content, "seed") {
			t.Skip("it may name any file of this machine")
		}
		name := filepath.Join(dir, "fuzz.yaml")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := sandbox.ParseServe([]string{"--config", name}, noEnv)
		if err != nil {
			return
		}
		if vneid.IsGovHost(strings.TrimPrefix(c.Issuer, "https://")) || c.Policy.OTPTries < 1 {
			t.Fatalf("accepted %+v", c)
		}
	})
}
