namespace PacsStegoGateway.Commands;

/// <summary>What <c>psg</c> tells the shell.</summary>
public static class ExitCode
{
    /// <summary>Everything asked for was done.</summary>
    public const int Done = 0;

    /// <summary>Some item was refused or failed; each is named on standard error with its reason.</summary>
    public const int SomeFailed = 1;

    /// <summary>Wrong usage or configuration; nothing was done.</summary>
    public const int Misused = 2;

    /// <summary>The account has no role that may do this; nothing was done, and the attempt was recorded.</summary>
    public const int NotPermitted = 3;
}
