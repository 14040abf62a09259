//! A bad data directory, a second process, a port in use, unreadable settings: each a clear error with a way out.

use harness::node::{Line, Node};

#[test]
fn a_second_init_refuses() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let node = Node::init(folder.path().join("0"), "奉节县", "county", &[]);
    let again = node.run(&["init", "--name", "奉节县", "--class", "county"]);
    again.failed(4);
}

#[test]
fn commands_without_a_running_node_say_how_to_start_one() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let node = Node::init(folder.path().join("0"), "奉节县", "county", &[]);
    let outcome = node.run(&["list"]);
    assert!(outcome.errors.contains("xianmeng run"), "{}", outcome.errors);
    outcome.failed(3);
    let nowhere = Node::at(folder.path().join("nowhere"));
    nowhere.run(&["list"]).failed(4);
}

#[test]
fn a_failure_keeps_its_exit_code_when_nobody_takes_its_words() {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let full = || std::fs::File::options().write(true).open("/dev/full").expect("the system has it");
    let mut command = std::process::Command::new(harness::program::xianmeng());
    command.args(["list", "--json", "--data"]).arg(folder.path().join("nowhere"));
    let status = command.stdout(full()).stderr(full()).status().expect("the program was built");
    assert_eq!(status.code(), Some(4));
}

#[test]
fn a_second_process_on_one_directory_refuses_and_the_first_goes_on() {
    let line = Line::found(&["秘书处"]);
    let mut second = Node::at(line.nodes[0].directory());
    let log = second.try_start().expect_err("the directory is in use");
    assert!(log.contains("exit Some(4)"), "{log}");
    line.nodes[0].status();
}

#[test]
fn a_directory_of_another_federation_is_refused() {
    let mut line = Line::found(&["秘书处"]);
    let other = Line::found(&["另一个秘书处"]);
    line.nodes[0].stop();
    let genesis = |line: &Line| line.nodes[0].directory().join("genesis.block");
    std::fs::copy(genesis(&other), genesis(&line)).expect("the file can be replaced");
    let log = line.nodes[0].try_start().expect_err("the store is another federation's");
    assert!(log.contains("exit Some(4)"), "{log}");
}

#[test]
fn a_port_in_use_is_named() {
    let mut line = Line::found(&["秘书处"]);
    line.nodes[0].stop();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it is bound").port();
    let path = line.nodes[0].directory().join("config.toml");
    let original = std::fs::read_to_string(&path).expect("the settings are there");
    std::fs::write(&path, original.replace("tcp/0", &format!("tcp/{port}"))).expect("the settings can be changed");
    let log = line.nodes[0].try_start().expect_err("the port is in use");
    assert!(log.contains("exit Some(9)") && log.contains(&port.to_string()), "{log}");
    std::fs::write(&path, original.replace("127.0.0.1:0", &format!("127.0.0.1:{port}")))
        .expect("the settings can be changed");
    let log = line.nodes[0].try_start().expect_err("the API's port is in use");
    assert!(log.contains("exit Some(9)") && log.contains(&port.to_string()), "{log}");
}

#[test]
fn unreadable_settings_name_the_line() {
    let mut line = Line::found(&["秘书处"]);
    line.nodes[0].stop();
    let path = line.nodes[0].directory().join("config.toml");
    std::fs::write(&path, "[network]\nlisten_on = []\n").expect("the settings can be changed");
    let log = line.nodes[0].try_start().expect_err("the settings are wrong");
    assert!(log.contains("exit Some(4)") && log.contains("listen_on"), "{log}");
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let disk = match harness::power::Disk::new(24) {
        Ok(disk) => disk,
        Err(reason) => {
            eprintln!("skipped, it needs root and loop devices: {reason}");
            return;
        }
    };
    let mut node = Node::init(disk.path().join("node"), "秘书处", "secretariat", &[]);
    node.run(&["charter", "create", "--federation", "测试联盟"]).ok();
    node.start();
    node.wait_ready_to_sign();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let sheet = harness::sheet::demands(folder.path(), 0, 200);
    node.run(&["import", &sheet.to_string_lossy()]).ok();
    let before = node.status()["entries"].as_u64().expect("a number");
    let ballast = disk.path().join("ballast");
    // Fills what is left, so that the next commit finds no room.
    let _ = std::process::Command::new("dd")
        .args(["if=/dev/zero", "bs=64k"])
        .arg(format!("of={}", ballast.display()))
        .output();
    let more = harness::sheet::demands(folder.path(), 200, 20_000);
    let outcome = node.run(&["import", &more.to_string_lossy()]);
    assert_eq!(outcome.code, 8, "{}\n{}", outcome.errors, node.log());
    node.kill();
    std::fs::remove_file(ballast).expect("the ballast is there");
    node.start();
    let after = node.status()["entries"].as_u64().expect("a number");
    assert!(after >= before, "{before} were acknowledged, {after} are there");
}
