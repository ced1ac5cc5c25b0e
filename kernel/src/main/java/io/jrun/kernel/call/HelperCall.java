package io.jrun.kernel.call;

/// A call that changes the process or thread that makes it, so it runs in a helper only.
public sealed interface HelperCall<R> extends Syscall<R>
    permits MountCall,
        NamespaceCall,
        CredentialCall,
        ProcessCall,
        SchedulingCall,
        SecurityCall,
        PseudoCall {}
