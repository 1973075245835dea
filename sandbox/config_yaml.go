package sandbox

import (
	"fmt"
	"reflect"
	"strconv"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/fault"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/people"
	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// configFile is the form of a configuration file.
type configFile struct {
	Listen        string `yaml:"listen"`
	Issuer        string `yaml:"issuer"`
	SandboxListen string `yaml:"sandbox_listen"`
	SandboxURL    string `yaml:"sandbox_url"`
	AttackListen  string `yaml:"attack_listen"`
	TLS           string `yaml:"tls"`
	Database      string `yaml:"database"`
	Seed          string `yaml:"seed"`
	Data          string `yaml:"data"`
	LogFormat     string `yaml:"log_format"`
	Record        string `yaml:"record"`
	KeyRotation   string `yaml:"key_rotation"`
	TrustCA       string `yaml:"trust_ca"`
	BrowserURL    string `yaml:"browser_url"`

	AllowHosts []string        `yaml:"allow_hosts"`
	Policy     policyFile      `yaml:"policy"`
	Clients    []people.Client `yaml:"clients"`
	Faults     []fault.Armed   `yaml:"faults"`
}

// policyFile is vneid.Policy under its names in files. Absent keys keep the
// defaults.
type policyFile struct {
	OTPDigits      int           `yaml:"otp_digits"`
	OTPLifetime    time.Duration `yaml:"otp_lifetime"`
	OTPTries       int           `yaml:"otp_tries"`
	OTPResendAfter time.Duration `yaml:"otp_resend_after"`
	SMSPerNumber   int           `yaml:"sms_per_number"`
	SMSWindow      time.Duration `yaml:"sms_window"`

	PasswordTries int           `yaml:"password_tries"`
	PasswordLock  time.Duration `yaml:"password_lock"`

	SecondFactor    string        `yaml:"second_factor"`
	QRLifetime      time.Duration `yaml:"qr_lifetime"`
	QRPerLogin      int           `yaml:"qr_per_login"`
	NumberMatching  bool          `yaml:"number_matching"`
	CodeTries       int           `yaml:"qr_code_tries"`
	CodeWindow      time.Duration `yaml:"qr_code_window"`
	PasscodeTries   int           `yaml:"passcode_tries"`
	PasscodeLock    time.Duration `yaml:"passcode_lock"`
	AppSession      time.Duration `yaml:"app_session_lifetime"`
	AppFresh        time.Duration `yaml:"app_fresh"`
	ConfirmPasscode bool          `yaml:"confirm_passcode"`

	LoginsPerMinute int           `yaml:"logins_per_minute"`
	LoginLifetime   time.Duration `yaml:"login_lifetime"`
	CodeLifetime    time.Duration `yaml:"code_lifetime"`
	AccessLifetime  time.Duration `yaml:"access_token_lifetime"`
	IDTokenLifetime time.Duration `yaml:"id_token_lifetime"`
	RefreshLifetime time.Duration `yaml:"refresh_token_lifetime"`
	SessionLifetime time.Duration `yaml:"session_lifetime"`
}

// durations by their keys, for the range check.
func (p *policyFile) durations() map[string]*time.Duration {
	return map[string]*time.Duration{
		"otp_lifetime": &p.OTPLifetime, "otp_resend_after": &p.OTPResendAfter, "sms_window": &p.SMSWindow,
		"password_lock": &p.PasswordLock, "qr_lifetime": &p.QRLifetime, "qr_code_window": &p.CodeWindow, "passcode_lock": &p.PasscodeLock,
		"app_session_lifetime": &p.AppSession, "app_fresh": &p.AppFresh, "login_lifetime": &p.LoginLifetime, "code_lifetime": &p.CodeLifetime,
		"access_token_lifetime": &p.AccessLifetime, "id_token_lifetime": &p.IDTokenLifetime,
		"refresh_token_lifetime": &p.RefreshLifetime, "session_lifetime": &p.SessionLifetime,
	}
}

// values are those of the policy by their keys, as one writes them.
func (p *policyFile) values() map[string]string {
	all, v := map[string]string{}, reflect.ValueOf(p).Elem()
	for i := range v.NumField() {
		all[v.Type().Field(i).Tag.Get("yaml")] = fmt.Sprint(v.Field(i).Interface())
	}
	return all
}

// readYAML reads a configuration file into r.
func (r *reading) readYAML(name string, content []byte) {
	file := configFile{Policy: policyFile(vneid.DefaultPolicy())}
	f := strictyaml.Read(name, content, &file)
	checkPolicy(f, &file.Policy)
	people.CheckClients(f, "clients", file.Clients, file.AllowHosts)
	for _, m := range fault.Check(file.Faults, vneid.SystemClock{}.Now().Year()) {
		f.Add(m.Field, m.What, "vneid-sandbox faults lists what there is")
	}
	r.mistakes = append(r.mistakes, f.Mistakes...)

	r.Config = Config{
		Listen: file.Listen, Issuer: file.Issuer, BrowserURL: file.BrowserURL, SandboxListen: file.SandboxListen, SandboxURL: file.SandboxURL, AttackListen: file.AttackListen, TLS: file.TLS,
		Database: file.Database, Seed: file.Seed, Data: file.Data, LogFormat: file.LogFormat, Record: file.Record, KeyRotation: file.KeyRotation, TrustCA: file.TrustCA,
		AllowHosts: file.AllowHosts, Policy: vneid.Policy(file.Policy), Clients: file.Clients, Faults: file.Faults,
	}
	var keys []string
	for _, s := range settings {
		keys = append(keys, s.key)
	}
	for key := range file.Policy.values() {
		keys = append(keys, "policy."+key)
	}
	for _, key := range keys {
		if line := f.Line(key); line > 0 {
			r.source[key] = name + ":" + strconv.Itoa(line)
		}
	}
}
