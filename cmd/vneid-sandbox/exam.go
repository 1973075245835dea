package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
	"github.com/vneid-sandbox/vneid-sandbox/exam/linking"
)

const examUsage = `Flags of exam:
  --login-url URL      where a sign-in at your portal begins, by GET
  --whoami-url URL     a page of it that says who is signed in
  --needle TEXT        stands there only when the persona is signed in
  --logout-url URL     where its sign-out is; without, what follows a sign-out is not examined
  --client-id ID       must be the client that signs in; without, the one that does
  --faults LIST        all, or ids, names or sections: C01,state-wrong,D (a variant: C02:case)
  --variants           every variant of a fault, not the first alone
  --persona CCCD       who signs in (038090000001)
  --passcode CODE      of that person's phone (123456)
  --seed N             an order of the faults that can be had again; 0: that of the catalogue
  --browser            open your portal's pages with Chromium, for a portal that needs script; slower
  --linking FILE       a YAML file that tells how your portal signs in with its own accounts, links and
                       unlinks (docs/exam-linking.md): plays who is joined to what; without --login-url that
                       alone, and then --faults chooses scenarios: J19,J07
  --report FILE        .html, .json, .junit.xml or .sarif; may be repeated
  --api URL            of the sandbox, a world's if need be (http://localhost:9997/api/v1)
  --ca FILE            PEM to trust besides the system's authorities, such as var/ca.pem
VNEID_SANDBOX_TOKEN is sent to the API. CHROMIUM names the program for --browser.
Exit code 0 when nothing failed, 1 when something did that must not, 2 when there was no exam.
`

func takeExam(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o := exam.Options{Token: os.Getenv("VNEID_SANDBOX_TOKEN"), Chromium: os.Getenv("CHROMIUM")}
	var faults, ca, linkingName string
	var reports names
	flags := flag.NewFlagSet("exam", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.LoginURL, "login-url", "", "")
	flags.StringVar(&o.WhoamiURL, "whoami-url", "", "")
	flags.StringVar(&o.Needle, "needle", "", "")
	flags.StringVar(&o.LogoutURL, "logout-url", "", "")
	flags.StringVar(&o.ClientID, "client-id", "", "")
	flags.StringVar(&faults, "faults", "all", "")
	flags.BoolVar(&o.Variants, "variants", false, "")
	flags.StringVar(&o.Persona, "persona", "", "")
	flags.StringVar(&o.Passcode, "passcode", "", "")
	flags.Int64Var(&o.Seed, "seed", 0, "")
	flags.StringVar(&o.API, "api", sandboxURL()+"/api/v1", "")
	flags.StringVar(&ca, "ca", "", "")
	flags.BoolVar(&o.Browser, "browser", false, "")
	flags.StringVar(&linkingName, "linking", "", "")
	flags.Var(&reports, "report", "")
	err := flags.Parse(args)
	if err == nil {
		err = checkExam(&o, flags.Args(), reports, ca, linkingName != "")
	}
	var file *linking.File
	if err == nil && linkingName != "" {
		file, err = linkingFile(linkingName)
	}
	if err != nil {
		fmt.Fprintf(stderr, "vneid-sandbox exam: %v\n\n%s", err, examUsage)
		return 2
	}
	for _, one := range strings.Split(faults, ",") {
		if one = strings.TrimSpace(one); one != "" {
			o.Faults = append(o.Faults, one)
		}
	}
	report, err := takeExams(ctx, o, file, func(f exam.Finding) { fmt.Fprintln(stdout, line(f)) })
	if err != nil {
		fmt.Fprintf(stderr, "vneid-sandbox exam: %v\n", err)
		return 2
	}
	report.Program = version()
	for _, name := range reports {
		if err := writeReport(name, report); err != nil {
			fmt.Fprintf(stderr, "vneid-sandbox exam: %v\n", err)
			return 2
		}
	}
	c := report.Counts
	fmt.Fprintf(stdout, "\nKết quả / grade %s: %d PASS, %d FAIL, %d WARN, %d INCONCLUSIVE, %.1f s\n", report.Grade, c.Pass, c.Fail, c.Warn, c.Inconclusive, float64(report.Millis)/1000)
	for _, name := range reports {
		fmt.Fprintln(stdout, "Phiếu / report: "+name)
	}
	if c.Fail > 0 {
		return 1
	}
	return 0
}

func sandboxURL() string {
	if v := os.Getenv("VNEID_SANDBOX_SANDBOX_URL"); v != "" {
		return strings.TrimRight(v, "/")
	}
	return "http://localhost:9997"
}

func checkExam(o *exam.Options, rest, reports []string, ca string, byFile bool) (err error) {
	var wrong []error
	alone := byFile && o.LoginURL == "" && o.WhoamiURL == "" && o.Needle == ""
	for _, given := range [][2]string{{"--login-url", o.LoginURL}, {"--whoami-url", o.WhoamiURL}, {"--needle", o.Needle}} {
		if given[1] == "" && !alone {
			wrong = append(wrong, errors.New(given[0]+" is needed"))
		}
	}
	if alone && o.Browser {
		wrong = append(wrong, errors.New("--browser is for the exam of the faults: that of linking fills in forms over HTTP"))
	}
	if len(rest) > 0 {
		wrong = append(wrong, fmt.Errorf("an argument that nobody asked for: %s", rest[0]))
	}
	for _, name := range reports {
		if !exam.Writable(name) {
			wrong = append(wrong, fmt.Errorf("--report %s: a report ends in .html, .json, .junit.xml or .sarif", name))
		}
	}
	if ca != "" {
		if o.CA, err = os.ReadFile(ca); err != nil {
			wrong = append(wrong, err)
		}
	}
	return errors.Join(wrong...)
}

func line(f exam.Finding) string {
	name := f.Name
	if f.Variant != "" {
		name += ":" + f.Variant
	}
	text := fmt.Sprintf("%-12s %-4s %-32s", f.Verdict, f.ID, name)
	if f.Verdict != exam.Pass {
		text += " " + f.Reason.Vi + " / " + f.Reason.En
	}
	return strings.TrimRight(text, " ")
}

func writeReport(name string, r *exam.Report) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	err = r.Write(file, name)
	if e := file.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Chmod(name, 0o644) // it is meant to be handed on
	}
	return err
}
