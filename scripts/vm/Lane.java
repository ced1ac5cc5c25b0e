import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.EngineFilter;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.reporting.legacy.xml.LegacyXmlReportGeneratingListener;

/// Runs classes of tests in turn, in one JVM, as an emulated processor takes long to start one. Each class has a directory MODULE:CLASS with
/// JUnit's report, `output`, and at the end `verdict`: 0 or 1, and the seconds it took. While it runs, `running` beside the directories names it. Ends with 1
/// after a class that failed, unless `--go-on` is the first argument; the others are the directory, the module, and classes or methods (CLASS#METHOD).
final class Lane {
  private static final String TAG = System.getProperty("lane.tag", "");

  /// What becomes of each test, as it becomes known.
  private record Feed(PrintWriter output) implements TestExecutionListener {
    @Override
    public void executionStarted(TestIdentifier test) {
      if (test.isTest()) output.println(test.getDisplayName() + ": begins");
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
      output.println(test.getDisplayName() + ": skipped - " + reason);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      if (test.isTest())
        output.println(test.getDisplayName() + ": " + result.getStatus() + result.getThrowable().map(why -> " - " + why).orElse(""));
    }
  }

  static void main(String[] arguments) throws IOException {
    List<String> words = List.of(arguments);
    boolean goesOn = words.getFirst().equals("--go-on");
    if (goesOn) words = words.subList(1, words.size());
    Path results = Path.of(words.get(0));
    Launcher launcher = LauncherFactory.create();
    boolean failed = false;
    for (String name : words.subList(2, words.size())) {
      String entry = words.get(1) + ":" + name;
      Path directory = Files.createDirectories(results.resolve(entry));
      Files.writeString(results.resolve("running"), entry);
      long begun = System.nanoTime();
      SummaryGeneratingListener summary = new SummaryGeneratingListener();
      try (PrintWriter output = new PrintWriter(Files.newBufferedWriter(directory.resolve("output")), true)) {
        launcher.execute(request(name), new LegacyXmlReportGeneratingListener(directory, output), summary, new Feed(output));
        summary.getSummary().printFailuresTo(output, 40);
      }
      boolean isGood = summary.getSummary().getTotalFailureCount() == 0;
      Path verdict = Files.writeString(results.resolve("verdict"), (isGood ? 0 : 1) + " " + (System.nanoTime() - begun) / 1_000_000_000 + "\n");
      Files.delete(results.resolve("running"));
      Files.move(verdict, directory.resolve("verdict"));
      failed |= !isGood;
      if (failed && !goesOn) break;
    }
    System.exit(failed ? 1 : 0);
  }

  private static LauncherDiscoveryRequest request(String name) {
    LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
    request.selectors(name.contains("#") ? selectMethod(name) : selectClass(name));
    request.filters(EngineFilter.includeEngines("junit-jupiter"));
    if (!TAG.isEmpty()) request.filters(TagFilter.includeTags(TAG));
    int patience = Integer.getInteger("jrun.patience");
    return request.configurationParameter("junit.jupiter.execution.timeout.default", 120 * patience + " s").build();
  }
}
