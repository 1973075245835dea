package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"
)

// seed fills an empty portal with its accounts and a few dossiers from the time
// before VNeID. A portal of an earlier version gets what it lacks.
func (p *portal) seed(ctx context.Context) error {
	return p.store.tx(ctx, func(tx *sql.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM local_logins").Scan(&n); err != nil {
			return err
		}
		for _, s := range seededAccounts {
			if n > 0 {
				if _, err := tx.ExecContext(ctx, "UPDATE local_logins SET birthdate = ? WHERE username = ? AND birthdate = ''", s.birthdate, s.Username); err != nil {
					return err
				}
				continue
			}
			id := secret()
			if _, err := tx.ExecContext(ctx, "INSERT INTO accounts (id, name, created_ms) VALUES (?, ?, ?)", id, s.Name, p.now().AddDate(-2, 0, 0).UnixMilli()); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO local_logins (username, account_id, password, role, cccd, cmnd, birthdate) VALUES (?, ?, ?, ?, ?, ?, ?)",
				s.Username, id, p.hasher.hash(seedPassword), s.role, s.cccd, s.cmnd, s.birthdate); err != nil {
				return err
			}
		}
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM dossiers").Scan(&n); err != nil || n > 0 {
			return err
		}
		for _, d := range seededDossiers {
			if err := p.seedDossier(ctx, tx, d); err != nil {
				return err
			}
		}
		return nil
	})
}

type seededDossier struct {
	end, username, code, subject string // end of its number, which begins with the day
	days                         int    // ago
	path                         []string
}

var seededDossiers = []seededDossier{
	{"AN23K7QX", "an.nguyen", "9.000301", "Đăng ký hộ kinh doanh tạp hóa tại nhà", 400, []string{"filed", "accepted", "working", "done"}},
	{"AN5MW2RC", "an.nguyen", "9.000402", "Xây nhà ở hai tầng trên đất đang ở", 60, []string{"filed", "accepted", "working"}},
	{"AN8TTP4H", "an.nguyen", "9.000102", "Xin 02 bản sao trích lục khai sinh của con", 5, []string{"filed"}},
	{"AC6NVB3D", "an.cu", "9.000204", "Chứng thực bản sao bằng tốt nghiệp", 700, []string{"filed", "accepted", "done"}},
	{"BL9HXZ5F", "binh.le", "9.000801", "Cấp bản sao bằng tốt nghiệp trung học phổ thông", 90, []string{"filed", "accepted", "working", "more"}},
	{"HV4GKC7N", "hai.vu", "9.000601", "Đề nghị hưởng trợ cấp người cao tuổi", 200, []string{"filed", "accepted", "working", "done"}},
	{"GM7RPD9W", "gia.mao", "9.000303", "Tạm ngừng kinh doanh quán nước 03 tháng", 30, []string{"filed", "refused"}},
}

func (p *portal) seedDossier(ctx context.Context, tx *sql.Tx, d seededDossier) error {
	var account, name string
	err := tx.QueryRowContext(ctx, "SELECT a.id, a.name FROM local_logins l JOIN accounts a ON a.id = l.account_id WHERE l.username = ?", d.username).Scan(&account, &name)
	if err == sql.ErrNoRows { // a portal with accounts of its own
		return nil
	}
	if err != nil {
		return err
	}
	fields, err := json.Marshal(dossierForm{Subject: d.subject, Phone: "0950000000", Return: "online"})
	if err != nil {
		return err
	}
	filed := p.now().AddDate(0, 0, -d.days)
	id := "TH" + filed.In(vietnam).Format("060102") + "-" + d.end
	changed := filed.Add(time.Duration(len(d.path)-1) * 26 * time.Hour)
	if _, err := tx.ExecContext(ctx, "INSERT INTO dossiers (id, account_id, procedure, applicant, fields, status, verified, once, filed_ms, changed_ms) VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
		id, account, d.code, name, string(fields), d.path[len(d.path)-1], "seed "+d.end, filed.UnixMilli(), changed.UnixMilli()); err != nil {
		return err
	}
	for i, status := range d.path {
		actor := "minh.canbo"
		if i == 0 {
			actor = ""
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO dossier_steps (dossier_id, at_ms, status, actor, note) VALUES (?, ?, ?, ?, '')", id, filed.Add(time.Duration(i)*26*time.Hour).UnixMilli(), status, actor); err != nil {
			return err
		}
	}
	return nil
}
