package io.jrun.runtime.cli;

import java.util.ArrayList;
import java.util.List;

/// What each command about containers does with its options.
final class ContainerCommands {
  private ContainerCommands() {}

  static void createOptions(Options options) {
    options
        .text("dir", "the bundle's directory; by default the current one", "--bundle", "-b")
        .text("path", "a socket that receives the console's master", "--console-socket")
        .text("path", "a socket that receives a pidfd of the init process", "--pidfd-socket")
        .text("path", "a file to write the process id to", "--pid-file")
        .flag("do not use pivot_root", "--no-pivot")
        .flag("do not create a new session keyring", "--no-new-keyring")
        .text("N", "pass N descriptors more than stdio and $LISTEN_FDS", "--preserve-fds")
        .texts("name[,name]", "attach the container to a CNI network", "--network")
        .texts("[ip:]port:port[,...]", "publish a port, through portmap", "--publish")
        .text("name", "join the namespaces of a sandbox", "--sandbox");
    Metadata.options(options);
  }

  static void runOptions(Options options) {
    createOptions(options);
    options
        .flag("detach from the container's process", "--detach", "-d")
        .flag("do not delete the container after it exits", "--keep")
        .flag("do not reap reparented processes", "--no-subreaper");
  }

  static void execOptions(Options options) {
    options
        .text("path", "a socket that receives the console's master", "--console-socket")
        .text("path", "a socket that receives a pidfd of the process", "--pidfd-socket")
        .text("dir", "the working directory in the container", "--cwd")
        .texts("NAME=value", "set an environment variable", "--env", "-e")
        .flag("allocate a pseudo-terminal", "--tty", "-t")
        .text("uid[:gid]", "the user", "--user", "-u")
        .commaTexts("gid", "additional gids", "--additional-gids", "-g")
        .text("file", "a process.json", "--process", "-p")
        .flag("detach from the process", "--detach", "-d")
        .text("path", "a file to write the process id to", "--pid-file")
        .text("label", "the SELinux label of the process", "--process-label")
        .text("profile", "the AppArmor profile of the process", "--apparmor")
        .flag("set no_new_privs", "--no-new-privs")
        .commaTexts("cap", "add a capability", "--cap", "-c")
        .text("N", "pass N descriptors more than stdio and $LISTEN_FDS", "--preserve-fds")
        .texts("[ctrl:]path", "run the process in a sub-cgroup", "--cgroup")
        .flag("allow exec in a paused container", "--ignore-paused");
  }

  static int create(Request request) {
    CreateOptions options = createOptions(request);
    try {
      request.operations().create(options);
    } catch (RuntimeException e) {
      throw failed("jrun create failed", 1, e);
    }
    return 0;
  }

  static int run(Request request) {
    ParsedLine line = request.line();
    RunOptions options =
        new RunOptions(
            createOptions(request),
            line.has("--detach"),
            line.has("--keep"),
            line.has("--no-subreaper"));
    try {
      return request.operations().run(options);
    } catch (ProgramException e) {
      return notStarted(request, e);
    } catch (RuntimeException e) {
      throw failed("jrun run failed", 1, e);
    }
  }

  static int plan(Request request) {
    List<String> arguments = request.line().arguments();
    String id = arguments.isEmpty() ? "plan" : arguments.getFirst();
    String bundle = request.line().text("--bundle", "");
    request
        .operations()
        .plan(
            new CreateOptions(request.global(), id, bundle, null, null, null, false, false, 0)
                .with(Additions.of(request.line(), Metadata.NONE, false), null));
    return 0;
  }

  private static CreateOptions createOptions(Request request) {
    ParsedLine line = request.line();
    return new CreateOptions(
            request.global(),
            request.id(),
            line.text("--bundle", ""),
            line.text("--console-socket"),
            line.text("--pidfd-socket"),
            line.text("--pid-file"),
            line.has("--no-pivot"),
            line.has("--no-new-keyring"),
            line.count("--preserve-fds"))
        .with(Additions.of(line, Metadata.of(line), false), null);
  }

  static int exec(Request request) {
    ExecOptions options = execOptions(request);
    try {
      if (options.args().isEmpty() && options.processFile() == null) {
        throw CommandFailure.usage("process args cannot be empty");
      }
      return request.operations().exec(options);
    } catch (ProgramException e) {
      return notStarted(request, e);
    } catch (RuntimeException e) {
      // 255 tells it from the statuses that a process usually has.
      throw failed("exec failed", 255, e);
    }
  }

  private static ExecOptions execOptions(Request request) {
    ParsedLine line = request.line();
    List<String> command = request.rest();
    if (!command.isEmpty() && command.getFirst().equals("--")) {
      command = command.subList(1, command.size());
    }
    return new ExecOptions(
        request.global(),
        request.id(),
        command,
        line.text("--console-socket"),
        line.text("--pidfd-socket"),
        line.text("--cwd"),
        line.texts("--env"),
        line.has("--tty"),
        line.text("--user"),
        line.ids("--additional-gids"),
        line.text("--process"),
        line.has("--detach"),
        line.text("--pid-file"),
        line.text("--process-label"),
        line.text("--apparmor"),
        line.has("--no-new-privs"),
        line.texts("--cap"),
        line.count("--preserve-fds"),
        line.texts("--cgroup"),
        line.has("--ignore-paused"));
  }

  private static int notStarted(Request request, ProgramException failure) {
    new Log(request.global(), request.caller()).lastWord(Log.message(failure));
    return ProgramException.STATUS;
  }

  private static CommandFailure failed(String step, int status, RuntimeException cause) {
    String message = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return new CommandFailure(status, step + ": " + message, cause);
  }

  static int start(Request request) {
    request.operations().start(request.global(), request.id());
    return 0;
  }

  static int state(Request request) {
    request.print(request.operations().state(request.global(), request.id()));
    return 0;
  }

  static int kill(Request request) {
    List<String> rest = request.rest();
    int signal = SignalName.parse(rest.isEmpty() ? "TERM" : rest.getFirst());
    request.operations().kill(request.global(), request.id(), signal, request.line().has("--all"));
    return 0;
  }

  static int delete(Request request) {
    ParsedLine line = request.line();
    request
        .operations()
        .delete(request.global(), request.id(), line.has("--force"), line.has("--unfinished"));
    return 0;
  }

  static int pause(Request request) {
    request.operations().pause(request.global(), request.id());
    return 0;
  }

  static int resume(Request request) {
    request.operations().resume(request.global(), request.id());
    return 0;
  }

  static int list(Request request) {
    boolean json = isJson(request, "table");
    ContainerList list = new ContainerList(request.operations().list(request.global(), false));
    if (request.line().has("--quiet")) {
      request.caller().out(list.ids());
    } else {
      request.caller().out(json ? list.json() : list.table());
    }
    return 0;
  }

  static int ps(Request request) {
    boolean json = isJson(request, "table");
    List<Integer> pids = request.operations().pids(request.global(), request.id());
    if (json) {
      request.caller().out(ProcessTable.json(pids));
      return 0;
    }
    List<String> options = request.rest().isEmpty() ? List.of("-ef") : request.rest();
    List<String> command = new ArrayList<>(List.of("ps"));
    command.addAll(options);
    request.caller().out(ProcessTable.rows(request.caller().run(command), pids));
    return 0;
  }

  /// Whether `--format` asks for JSON and not for the command's default.
  static boolean isJson(Request request, String otherwise) {
    String format = request.line().text("--format", otherwise);
    if (!format.equals("json") && !format.equals(otherwise)) {
      throw CommandFailure.usage("invalid format option");
    }
    return format.equals("json");
  }
}
