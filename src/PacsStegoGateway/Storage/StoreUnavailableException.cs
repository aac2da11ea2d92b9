namespace PacsStegoGateway.Storage;

/// <summary>The database cannot be reached or cannot write now. Temporary: try again, answer A700 until then.</summary>
/// <remarks>Whether the last transaction was committed is not known when it failed while committing.</remarks>
public sealed class StoreUnavailableException : IOException
{
    public StoreUnavailableException()
    {
    }

    public StoreUnavailableException(string message) : base(message)
    {
    }

    public StoreUnavailableException(string message, Exception innerException) : base(message, innerException)
    {
    }
}
