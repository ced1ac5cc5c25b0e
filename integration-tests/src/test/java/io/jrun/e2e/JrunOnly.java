package io.jrun.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/// A test of what only jrun has; skipped when another runtime is under test.
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@Tag("jrun-only")
@ExtendWith(JrunOnly.Condition.class)
@interface JrunOnly {

  /// Looks at the runtime's name.
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      RuntimeBinary runtime = RuntimeBinary.underTest();
      return runtime.isJrun()
          ? ConditionEvaluationResult.enabled("the runtime is jrun")
          : ConditionEvaluationResult.disabled(
              "of jrun only, and the runtime under test is " + runtime.path());
    }
  }
}
