package mysql

import "testing"

func TestAltersUsers(t *testing.T) {
	for grant, want := range map[string]bool{
		"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION":         true,
		"GRANT SELECT, CREATE USER ON *.* TO `a`@`%`":                                 true,
		"GRANT UPDATE ON `mysql`.* TO `a`@`%`":                                        true,
		"GRANT ALL PRIVILEGES ON `mysql`.* TO `a`@`%`":                                true,
		"GRANT USAGE ON *.* TO `CREATE USER`@`%`":                                     false,
		"GRANT CREATE, USAGE ON *.* TO `a`@`%`":                                       false,
		"GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`":                                 false,
		"GRANT UPDATE ON `mysql`.`user` TO `a`@`%`":                                   false,
		"GRANT `CREATE USER ON *.* TO`@`%` TO `a`@`%`":                                false,
		"GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION":                false,
		"REVOKE CREATE USER ON *.* FROM `a`@`%`":                                      false,
		"GRANT RELOAD, CREATE USER ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*ABCDE'": true,
	} {
		if got := altersUsers(grant); got != want {
			t.Errorf("%s: %t", grant, got)
		}
	}
}
