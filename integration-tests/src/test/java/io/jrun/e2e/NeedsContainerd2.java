package io.jrun.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/// A test of what Debian 12's containerd cannot ask a shim for; see [ContainerdRelease].
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsContainerd2.Condition.class)
@interface NeedsContainerd2 {

  /// Looks at the version of the daemon.
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      ContainerdRelease release = ContainerdRelease.underTest();
      return release.isMajor2()
          ? ConditionEvaluationResult.enabled("containerd 2")
          : ConditionEvaluationResult.disabled(
              release.daemon() + " is older than 2.0; give another with -Djrun.containerd=PATH");
    }
  }
}
