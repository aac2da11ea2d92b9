using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs.JpegLs;

/// <summary>What CharLS 2 calls charls_frame_info.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CharLSFrameInfo
{
    public uint Width;
    public uint Height;
    public int BitsPerSample;
    public int ComponentCount;
}

/// <summary>How the components of a scan are mixed: none is plane after plane.</summary>
internal enum CharLSInterleaveMode
{
    None,
    Line,
    Sample,
}

/// <summary>The C interface of CharLS 2 (charls_jpegls_encoder.h); results other than 0 are errors.</summary>
internal static unsafe partial class CharLSLibrary
{
    private const string Library = NativeCodecLibrary.CharLSName;

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_create")]
    public static partial CharLSEncoder CreateEncoder();

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_destroy")]
    public static partial void DestroyEncoder(nint encoder);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_set_frame_info")]
    public static partial int SetFrameInfo(CharLSEncoder encoder, in CharLSFrameInfo info);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_set_near_lossless")]
    public static partial int SetNearLossless(CharLSEncoder encoder, int near);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_set_interleave_mode")]
    public static partial int SetInterleaveMode(CharLSEncoder encoder, CharLSInterleaveMode mode);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_get_estimated_destination_size")]
    public static partial int GetEstimatedDestinationSize(CharLSEncoder encoder, out nuint length);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_set_destination_buffer")]
    public static partial int SetDestinationBuffer(CharLSEncoder encoder, byte* target, nuint length);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_encode_from_buffer")]
    public static partial int EncodeFromBuffer(CharLSEncoder encoder, byte* source, nuint length, uint stride);

    [LibraryImport(Library, EntryPoint = "charls_jpegls_encoder_get_bytes_written")]
    public static partial int GetBytesWritten(CharLSEncoder encoder, out nuint length);

    [LibraryImport(Library, EntryPoint = "charls_get_error_message")]
    private static partial nint GetErrorMessage(int error);

    public static string MessageOf(int error) => Marshal.PtrToStringUTF8(GetErrorMessage(error)) ?? $"error {error}";
}

/// <summary>An encoder of CharLS.</summary>
internal sealed class CharLSEncoder() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        CharLSLibrary.DestroyEncoder(handle);
        return true;
    }
}
