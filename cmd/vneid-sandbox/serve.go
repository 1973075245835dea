package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
)

func serve(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	config, err := sandbox.ParseServe(args, os.Getenv)
	if err != nil {
		fmt.Fprintf(stderr, "%v\n\nvneid-sandbox help lists the flags.\n", err)
		return 2
	}
	logs := &lateLog{to: stderr}
	config.LogOutput, config.Version = logs, version()
	limitMemory()
	slog.SetDefault(config.LibraryLogger())
	running, err := sandbox.Start(ctx, config)
	logs.Flush()
	if err != nil {
		fmt.Fprintln(stderr, "vneid-sandbox:", err)
		if mistakes := (strictyaml.Mistakes)(nil); errors.As(err, &mistakes) {
			return 2
		}
		return 1
	}
	if config.LogFormat == "json" {
		greetMachine(stdout, running)
	} else {
		greet(stdout, running)
	}
	returnMemory()
	err = running.Wait()
	logs.Flush()
	if err != nil {
		fmt.Fprintln(stderr, "vneid-sandbox:", err)
		return 1
	}
	return 0
}

// greet says where everything is and what to do next.
func greet(w io.Writer, r *sandbox.Running) {
	line := func(what, value string) { fmt.Fprintf(w, "%-32s %s\n", what, value) }
	line("Nhà cung cấp (issuer) / provider", r.Issuer)
	if len(r.IssuerNames) > 0 {
		fmt.Fprintf(w, "  issuer là tên mà mỗi yêu cầu gọi / the issuer is the name of each request: loopback %v\n", r.IssuerNames)
	}
	line("Sandbox", r.SandboxURL)
	line("  Console", r.SandboxURL+"/console")
	line("  SMS (OTP)", r.SandboxURL+"/sms")
	line("  Điện thoại / phone", r.SandboxURL+"/phone")
	line("  API", r.SandboxURL+"/api/v1")
	if r.AttackURL != "" {
		line("Kẻ tấn công / attacker", r.AttackURL)
	}
	if p := r.Example; p != nil {
		line("Người thử / persona", fmt.Sprintf("%s  %s  (%s)", p.CCCD, r.Password, p.Name))
	}
	fmt.Fprint(w, r.TrustHint())
	fmt.Fprintf(w, "\nTiếp theo / next\n")
	if c := r.Portal; c != nil {
		fmt.Fprintf(w, "  1. Cổng của bạn: issuer ở trên, client %[1]s / %[2]s, redirect URI http://localhost:PORT/callback\n"+
			"     Your portal: the issuer above, client %[1]s / %[2]s, redirect URI http://localhost:PORT/callback\n", c.ClientID, c.Secret)
	} else {
		fmt.Fprintf(w, "  1. Đăng ký cổng của bạn / register your portal: POST %s/api/v1/clients\n", r.SandboxURL)
	}
	fmt.Fprintf(w, "  2. Đăng nhập, đọc mã OTP ở hộp thư SMS, hoặc quét QR bằng điện thoại.\n"+
		"     Sign in, read the OTP in the SMS inbox, or scan the QR code with the phone.\n"+
		"  3. Có gì không khớp? / something does not fit?  vneid-sandbox doctor --issuer %s --sandbox-url %s\n"+
		"Ctrl+C: dừng / stop.\n", r.Issuer, r.SandboxURL)
}

// ready is the one line that a program reads to know that everything answers,
// and where. Its fields are a promise (docs/configuration.md).
type ready struct {
	Event      string       `json:"event"` // "ready"
	Issuer     string       `json:"issuer"`
	SandboxURL string       `json:"sandbox_url"`
	API        string       `json:"api"`
	Console    string       `json:"console"`
	AttackURL  string       `json:"attack_url,omitempty"`
	CA         string       `json:"ca,omitempty"` // file with the CA's certificate
	Persona    *readyPerson `json:"persona,omitempty"`
	Client     *readyClient `json:"client,omitempty"`
}

type readyPerson struct {
	CCCD     string `json:"cccd"`
	Name     string `json:"name"`
	Password string `json:"password"`
}

type readyClient struct {
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
}

func greetMachine(w io.Writer, r *sandbox.Running) {
	said := ready{Event: "ready", Issuer: r.Issuer, SandboxURL: r.SandboxURL, API: r.SandboxURL + "/api/v1", Console: r.SandboxURL + "/console", AttackURL: r.AttackURL, CA: r.CAFile()}
	if p := r.Example; p != nil {
		said.Persona = &readyPerson{string(p.CCCD), p.Name, r.Password}
	}
	if c := r.Portal; c != nil {
		said.Client = &readyClient{c.ClientID, c.Secret}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(said) // nobody who closed our output waits for it
}
