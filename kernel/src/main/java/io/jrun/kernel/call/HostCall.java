package io.jrun.kernel.call;

/// A call that may run anywhere, the engine's own process included.
public sealed interface HostCall<R> extends Syscall<R>
    permits FileCall,
        TreeCall,
        DescriptorCall,
        IoctlCall,
        SocketCall,
        SignalCall,
        BpfCall,
        EpollCall,
        MemoryCall {}
