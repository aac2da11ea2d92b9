using System.Runtime.InteropServices;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg2000;

/// <summary>The C interface of OpenJPEG 2 (openjpeg.h); results of 0 are errors.</summary>
internal static unsafe partial class OpenJpegLibrary
{
    /// <summary>OPJ_CODEC_J2K: a bare codestream.</summary>
    public const int BareCodestream = 0;

    /// <summary>OPJ_CLRSPC_SRGB and OPJ_CLRSPC_GRAY.</summary>
    public const int ColourRgb = 1, ColourGray = 2;

    /// <summary>More than sizeof(opj_dparameters_t), which is 8252.</summary>
    public const int DecoderParametersLength = 16384;

    private const string Library = NativeCodecLibrary.OpenJpegName;

    [LibraryImport(Library, EntryPoint = "opj_version")]
    private static partial nint GetVersion();

    [LibraryImport(Library, EntryPoint = "opj_stream_create")]
    public static partial OpenJpegStream CreateStream(nuint bufferLength, int isInput);

    [LibraryImport(Library, EntryPoint = "opj_stream_destroy")]
    public static partial void DestroyStream(nint stream);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_read_function")]
    public static partial void SetRead(OpenJpegStream stream, delegate* unmanaged[Cdecl]<byte*, nuint, OpenJpegBytes*, nuint> function);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_write_function")]
    public static partial void SetWrite(OpenJpegStream stream, delegate* unmanaged[Cdecl]<byte*, nuint, OpenJpegBytes*, nuint> function);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_skip_function")]
    public static partial void SetSkip(OpenJpegStream stream, delegate* unmanaged[Cdecl]<long, OpenJpegBytes*, long> function);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_seek_function")]
    public static partial void SetSeek(OpenJpegStream stream, delegate* unmanaged[Cdecl]<long, OpenJpegBytes*, int> function);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_user_data")]
    public static partial void SetUserData(OpenJpegStream stream, OpenJpegBytes* data, nint free);

    [LibraryImport(Library, EntryPoint = "opj_stream_set_user_data_length")]
    public static partial void SetUserDataLength(OpenJpegStream stream, ulong length);

    [LibraryImport(Library, EntryPoint = "opj_create_decompress")]
    public static partial OpenJpegCodecHandle CreateDecoder(int format);

    [LibraryImport(Library, EntryPoint = "opj_create_compress")]
    public static partial OpenJpegCodecHandle CreateEncoder(int format);

    [LibraryImport(Library, EntryPoint = "opj_destroy_codec")]
    public static partial void DestroyCodec(nint codec);

    [LibraryImport(Library, EntryPoint = "opj_set_error_handler")]
    public static partial int SetErrorHandler(OpenJpegCodecHandle codec, delegate* unmanaged[Cdecl]<byte*, OpenJpegBytes*, void> handler, OpenJpegBytes* data);

    [LibraryImport(Library, EntryPoint = "opj_set_default_decoder_parameters")]
    public static partial void SetDefaultDecoderParameters(byte* parameters);

    [LibraryImport(Library, EntryPoint = "opj_setup_decoder")]
    public static partial int SetUpDecoder(OpenJpegCodecHandle codec, byte* parameters);

    [LibraryImport(Library, EntryPoint = "opj_read_header")]
    public static partial int ReadHeader(OpenJpegStream stream, OpenJpegCodecHandle codec, OpenJpegImage** image);

    [LibraryImport(Library, EntryPoint = "opj_decode")]
    public static partial int Decode(OpenJpegCodecHandle codec, OpenJpegStream stream, OpenJpegImage* image);

    [LibraryImport(Library, EntryPoint = "opj_image_create")]
    public static partial OpenJpegImage* CreateImage(uint components, OpenJpegComponentParameters* parameters, int colourSpace);

    [LibraryImport(Library, EntryPoint = "opj_image_destroy")]
    public static partial void DestroyImage(OpenJpegImage* image);

    [LibraryImport(Library, EntryPoint = "opj_set_default_encoder_parameters")]
    public static partial void SetDefaultEncoderParameters(byte* parameters);

    [LibraryImport(Library, EntryPoint = "opj_setup_encoder")]
    public static partial int SetUpEncoder(OpenJpegCodecHandle codec, byte* parameters, OpenJpegImage* image);

    [LibraryImport(Library, EntryPoint = "opj_start_compress")]
    public static partial int StartEncoding(OpenJpegCodecHandle codec, OpenJpegImage* image, OpenJpegStream stream);

    [LibraryImport(Library, EntryPoint = "opj_encode")]
    public static partial int Encode(OpenJpegCodecHandle codec, OpenJpegStream stream);

    [LibraryImport(Library, EntryPoint = "opj_end_compress")]
    public static partial int EndEncoding(OpenJpegCodecHandle codec, OpenJpegStream stream);

    public static Version Version => Version.TryParse(Marshal.PtrToStringUTF8(GetVersion()), out Version? version) ? version : new Version(2, 0);
}

/// <summary>Where fields of opj_cparameters_t are, in bytes, on 64-bit systems.</summary>
internal static class OpenJpegEncoderParameters
{
    /// <summary>More than sizeof(opj_cparameters_t), which is 18720.</summary>
    public const int Length = 32768;

    public const int AllocateByRate = 20, Layers = 4796, Rates = 4800, Resolutions = 5600, Irreversible = 5616, ColourTransform = 18698;
}

/// <summary>opj_image_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OpenJpegImage
{
    public uint X0, Y0, X1, Y1;
    public uint ComponentCount;
    public int ColourSpace;
    public OpenJpegComponent* Components;
    public byte* IccProfile;
    public uint IccProfileLength;
}

/// <summary>opj_image_comp_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct OpenJpegComponent
{
    public uint Dx, Dy, Width, Height, X0, Y0, Precision, BitsPerPixel, IsSigned, ResolutionsDecoded, Factor;
    public int* Data;
    public ushort Alpha;
}

/// <summary>opj_image_cmptparm_t.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct OpenJpegComponentParameters
{
    public uint Dx, Dy, Width, Height, X0, Y0, Precision, BitsPerPixel, IsSigned;
}

/// <summary>A decoder or an encoder of OpenJPEG.</summary>
internal sealed class OpenJpegCodecHandle() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OpenJpegLibrary.DestroyCodec(handle);
        return true;
    }
}

/// <summary>A stream of OpenJPEG.</summary>
internal sealed class OpenJpegStream() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OpenJpegLibrary.DestroyStream(handle);
        return true;
    }
}
