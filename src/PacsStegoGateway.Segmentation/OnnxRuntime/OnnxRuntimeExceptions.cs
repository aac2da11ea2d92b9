namespace PacsStegoGateway.Segmentation.OnnxRuntime;

/// <summary>The native library was not found, could not be loaded, or is too old. The message says what to run.</summary>
public sealed class OnnxRuntimeUnavailableException(string message, Exception? inner = null) : InvalidOperationException(message, inner);

/// <summary>The library answered a call with a status that is not OK.</summary>
/// <param name="errorCode">OrtErrorCode of the C API: 1 fail, 2 invalid argument, 7 invalid protobuf, 10 invalid graph...</param>
/// <param name="message">The library's own words.</param>
public sealed class OnnxRuntimeException(int errorCode, string message) : InvalidOperationException($"ONNX Runtime error {errorCode}: {message}")
{
    public int ErrorCode { get; } = errorCode;
}
